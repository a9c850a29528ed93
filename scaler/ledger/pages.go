package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The pages of a bbolt file, read here without bbolt, which takes for granted
// that a page is what it should be: it panics where one is not, goes round for
// ever where they lead in a circle, and maps the file into memory, where a read
// error is a fault.
//
// A file begins with two metas, written in turn; the one of the later
// transaction holds the root of the tree, how many pages there are and where
// the list of the free ones is. A page begins with its own number, what it is,
// how many elements it has and how many pages follow that belong to it.
const (
	pageHeader  = 16
	pageElement = 16

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	bucketElement = 0x01

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = ^uint64(0)

	// maxDepth is far deeper than any tree that a disk can hold.
	maxDepth = 32
)

var native = binary.NativeEndian

// image is a bbolt file as it lies on the disk.
type image struct {
	r        io.ReaderAt
	size     int64
	pageSize int64
	meta     boltMeta
	// half: the other meta is damaged, or not that of the transaction before. It
	// may have been a later one.
	half bool

	// seen are the pages that are part of something.
	seen     []uint64
	problems []string
	// more counts the problems that are not in problems.
	more int
}

// boltMeta is what a transaction has left.
type boltMeta struct {
	pageSize             uint32
	root, sequence       uint64
	freelist, pages, txn uint64
	// odd: its page is not quite what it should be, which bbolt does not see.
	odd bool
}

// element is one entry of a leaf page. Its bytes last as long as the call they
// are handed to.
type element struct {
	key, value []byte
	bucket     bool
}

// maxProblems is how many problems are put into words.
const maxProblems = 20

func (im *image) problem(format string, args ...any) {
	if len(im.problems) == maxProblems {
		im.more++
		return
	}
	im.problems = append(im.problems, fmt.Sprintf(format, args...))
}

var errNoRoot = errors.New("neither of its two roots can be read")

// openImage finds the last transaction, as bbolt does.
func openImage(r io.ReaderAt, size int64) (*image, error) {
	im := &image{r: r, size: size}
	first, firstOK := readMeta(r, 0, 0)
	var second boltMeta
	secondOK := false
	if firstOK {
		second, secondOK = readMeta(r, int64(first.pageSize), 1)
	}
	for n := int64(1 << 10); !firstOK && !secondOK && n <= 64<<10; n *= 2 {
		second, secondOK = readMeta(r, n, 1)
		secondOK = secondOK && int64(second.pageSize) == n
	}
	switch {
	case !firstOK && !secondOK:
		return nil, errNoRoot
	case !firstOK, secondOK && second.txn > first.txn:
		im.meta = second
	default:
		im.meta = first
	}
	im.half = !firstOK || !secondOK || first.odd || second.odd || first.txn+1 != second.txn && second.txn+1 != first.txn
	im.pageSize = int64(im.meta.pageSize)
	if n := im.length(); n > size {
		return im, fmt.Errorf("it is cut off at %d of %d bytes", size, n)
	}
	if size%im.pageSize != 0 {
		return im, fmt.Errorf("it is cut off at %d bytes, within a page", size)
	}
	return im, nil
}

// length is how long the file is at least.
func (im *image) length() int64 {
	if im.meta.pages > 1<<48 {
		return 1 << 62
	}
	return int64(im.meta.pages) * im.pageSize
}

// readMeta reads a meta at its offset. The transactions take turns.
func readMeta(r io.ReaderAt, at int64, turn uint64) (m boltMeta, ok bool) {
	var b [pageHeader + 64]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return m, false
	}
	text := b[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(text[:56])
	m = boltMeta{
		pageSize: native.Uint32(text[8:]), root: native.Uint64(text[16:]), sequence: native.Uint64(text[24:]),
		freelist: native.Uint64(text[32:]), pages: native.Uint64(text[40:]), txn: native.Uint64(text[48:]),
	}
	m.odd = native.Uint64(b[:]) != turn || m.txn%2 != turn || native.Uint16(b[8:]) != metaPage
	ok = native.Uint32(text) == boltMagic && native.Uint32(text[4:]) == boltVersion && native.Uint64(text[56:]) == sum.Sum64() &&
		m.pageSize >= 1<<10 && m.pageSize <= 64<<10 && m.pageSize&(m.pageSize-1) == 0
	return m, ok
}

// take marks pages as part of something, and reports whether they exist and
// were part of nothing.
func (im *image) take(id, count uint64) bool {
	if im.seen == nil {
		im.seen = make([]uint64, min(im.meta.pages, uint64(im.size/im.pageSize))/64+1)
	}
	if id < 2 || count > im.meta.pages || id > im.meta.pages-count || id+count > uint64(im.size/im.pageSize) {
		return false
	}
	for n := id; n < id+count; n++ {
		if im.seen[n/64]&(1<<(n%64)) != 0 {
			return false
		}
	}
	for n := id; n < id+count; n++ {
		im.seen[n/64] |= 1 << (n % 64)
	}
	return true
}

// page reads a page with those that belong to it.
func (im *image) page(id uint64) (flags uint16, count int, page []byte, err error) {
	if id < 2 || id >= im.meta.pages || id >= uint64(im.size/im.pageSize) {
		return 0, 0, nil, fmt.Errorf("page %d does not exist", id)
	}
	page = make([]byte, im.pageSize)
	if _, err := im.r.ReadAt(page, int64(id)*im.pageSize); err != nil {
		return 0, 0, nil, fmt.Errorf("read page %d: %w", id, err)
	}
	if own := native.Uint64(page); own != id {
		return 0, 0, nil, fmt.Errorf("page %d says that it is %d", id, own)
	}
	overflow := uint64(native.Uint32(page[12:]))
	if !im.take(id, overflow+1) {
		return 0, 0, nil, fmt.Errorf("page %d and the %d behind it are part of something else", id, overflow)
	}
	if overflow > 0 {
		page = append(page, make([]byte, int64(overflow)*im.pageSize)...)
		if _, err := im.r.ReadAt(page, int64(id)*im.pageSize); err != nil {
			return 0, 0, nil, fmt.Errorf("read page %d: %w", id, err)
		}
	}
	return native.Uint16(page[8:]), int(native.Uint16(page[10:])), page, nil
}

// walk visits the elements below a page in the order of their keys, which lie
// between from and to; nil: there is no limit. What cannot be read is a
// problem, and the rest is visited.
func (im *image) walk(name string, id uint64, depth int, from, to []byte, visit func(element)) {
	flags, count, page, err := im.page(id)
	if err != nil {
		im.problem("%s: %s", name, err)
		return
	}
	switch {
	case depth > maxDepth:
		im.problem("%s: page %d lies deeper than any tree is", name, id)
	case flags == leafPage:
		im.leaf(name, id, count, page, from, to, visit)
	case flags == branchPage:
		im.branch(name, id, count, page, depth, from, to, visit)
	default:
		im.problem("%s: page %d is of an unknown kind, %#x", name, id, flags)
	}
}

func (im *image) branch(name string, id uint64, count int, page []byte, depth int, from, to []byte, visit func(element)) {
	type child struct {
		key []byte
		id  uint64
	}
	if count == 0 {
		im.problem("%s: page %d leads nowhere", name, id)
	}
	var children []child
	lay := layout{next: pageHeader + uint64(count)*pageElement}
	for i := range count {
		at := pageHeader + i*pageElement
		if at+pageElement > len(page) {
			im.problem("%s: page %d has no room for its %d elements", name, id, count)
			break
		}
		lay.element(at, native.Uint32(page[at:]), native.Uint32(page[at+4:]))
		key, ok := within(page, at, native.Uint32(page[at:]), native.Uint32(page[at+4:]))
		if !ok || !ordered(from, key, to, i == 0) || (i > 0 && len(children) > 0 && bytes.Compare(children[len(children)-1].key, key) >= 0) {
			im.problem("%s: key %d of page %d is not one, or out of order", name, i, id)
			continue
		}
		children = append(children, child{key, native.Uint64(page[at+8:])})
	}
	if lay.broken {
		im.problem("%s: page %d does not have the %d elements that it says", name, id, count)
	}
	for i, c := range children {
		end := to
		if i+1 < len(children) {
			end = children[i+1].key
		}
		im.walk(name, c.id, depth+1, c.key, end, visit)
	}
}

func (im *image) leaf(name string, id uint64, count int, page, from, to []byte, visit func(element)) {
	var last []byte
	lay := layout{next: pageHeader + uint64(count)*pageElement}
	// A page is blank before it is written.
	lay.broken = count == 0 && len(bytes.Trim(page[pageHeader:], "\x00")) > 0
	defer func() {
		if lay.broken {
			im.problem("%s: page %d does not have the %d elements that it says", name, id, count)
		}
	}()
	for i := range count {
		at := pageHeader + i*pageElement
		if at+pageElement > len(page) {
			im.problem("%s: page %d has no room for its %d elements", name, id, count)
			return
		}
		flags, pos := native.Uint32(page[at:]), native.Uint32(page[at+4:])
		keySize, valueSize := native.Uint32(page[at+8:]), native.Uint32(page[at+12:])
		lay.element(at, pos, keySize, valueSize)
		key, ok := within(page, at, pos, keySize)
		var value []byte
		if ok {
			value, ok = within(page, at, pos+keySize, valueSize)
		}
		if !ok || flags > bucketElement || len(key) == 0 || !ordered(from, key, to, i == 0) || (last != nil && bytes.Compare(last, key) >= 0) {
			im.problem("%s: element %d of page %d is not one, or out of order", name, i, id)
			continue
		}
		last = key
		visit(element{key: key, value: value, bucket: flags == bucketElement})
	}
}

// layout follows the data of a page's elements, which bbolt writes behind the
// list of them, one after the other and without a gap. Where it lies otherwise
// the list is longer or shorter than it was: elements may be missing, which no
// seal of a value tells.
type layout struct {
	next   uint64
	broken bool
}

// element is one whose entry is at at, and its data pos behind that.
func (l *layout) element(at int, pos uint32, sizes ...uint32) {
	begin := uint64(at) + uint64(pos)
	l.broken = l.broken || begin != l.next
	for _, n := range sizes {
		begin += uint64(n)
	}
	l.next = begin
}

// within is size bytes of the page, pos behind at.
func within(page []byte, at int, pos, size uint32) ([]byte, bool) {
	begin, end := uint64(at)+uint64(pos), uint64(at)+uint64(pos)+uint64(size)
	if end > uint64(len(page)) {
		return nil, false
	}
	return page[begin:end:end], true
}

// ordered reports whether a key lies where its parent says, which names the
// first.
func ordered(from, key, to []byte, first bool) bool {
	if first && from != nil && !bytes.Equal(key, from) {
		return false
	}
	return (from == nil || bytes.Compare(key, from) >= 0) && (to == nil || bytes.Compare(key, to) < 0)
}

// free looks through the list of free pages: one in use would be overwritten.
func (im *image) free() {
	if im.meta.freelist == noFreelist {
		return
	}
	flags, count, page, err := im.page(im.meta.freelist)
	if err != nil {
		im.problem("free pages: %s", err)
		return
	}
	if flags != freelistPage {
		im.problem("free pages: page %d is of an unknown kind, %#x", im.meta.freelist, flags)
		return
	}
	at, n := uint64(pageHeader), uint64(count)
	if count == 0xFFFF {
		at, n = pageHeader+8, native.Uint64(page[pageHeader:])
	}
	if n > (uint64(len(page))-at)/8 {
		im.problem("free pages: page %d has no room for %d of them", im.meta.freelist, n)
		return
	}
	for ; n > 0; n, at = n-1, at+8 {
		if id := native.Uint64(page[at:]); !im.take(id, 1) {
			im.problem("free pages: page %d is in use, twice in the list or does not exist", id)
		}
	}
	for id := uint64(2); id < im.meta.pages; id++ {
		if im.seen[id/64]&(1<<(id%64)) == 0 {
			im.problem("page %d is neither in use nor free", id)
		}
	}
}
