package awstest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// element is what an element of XML contains: names and values by turns;
// nothing where the value is nil.
type element []any

// members is a list in XML.
type members []any

// optional is a text that is left out where it is empty.
func optional(s string) any { return standin.Either[any](s != "", s, nil) }

// MarshalXML implements xml.Marshaler.
func (x element) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for pair := range slices.Chunk(x, 2) {
		if err := e.EncodeElement(pair[1], xml.StartElement{Name: xml.Name{Local: pair[0].(string)}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// MarshalXML implements xml.Marshaler.
func (m members) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	var x element
	for _, v := range m {
		x = append(x, "member", v)
	}
	return x.MarshalXML(e, start)
}

// contentType is that of JSON 1.1.
const contentType = "application/x-amz-json-1.1"

func answerResult(w http.ResponseWriter, p protocol, action string, result any) {
	if p.json {
		standin.JSON(w, http.StatusOK, contentType, result)
		return
	}
	inner := new(bytes.Buffer)
	if result != nil {
		if err := xml.NewEncoder(inner).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
			panic(err)
		}
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="%[2]s">%[3]s<ResponseMetadata><RequestId>%[4]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		action, p.namespace, inner, w.Header().Get("X-Amzn-Requestid"))
}

func answerError(w http.ResponseWriter, p protocol, status int, code, message string) {
	if p.json {
		standin.JSON(w, status, contentType, map[string]string{"__type": code, "message": message})
		return
	}
	kind := standin.Either(status >= 500, "Receiver", "Sender")
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(message))
	w.Header().Set("Content-Type", "text/xml")
	standin.Raw(w, status, fmt.Sprintf(
		`<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		p.namespace, kind, code, &escaped, w.Header().Get("X-Amzn-Requestid")))
}
