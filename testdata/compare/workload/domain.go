package workload

// domains of recorded traces, by the names of their files.
var domains = map[string]string{
	"alibaba_genai_qps":    "diffusion serving",
	"azure_llm_code":       "LLM serving",
	"azure_llm_conv":       "LLM serving",
	"facebook_hadoop_2009": "big data",
	"facebook_hadoop_2010": "big data",
	"nab_asg_cpu":          "cloud VMs",
	"nab_elb_requests":     "load balancer",
	"nab_nyc_taxi":         "city",
	"nab_rds_cpu":          "database",
	"nab_tweets_aapl":      "social media",
	"nasa_http":            "web",
	"planetlab_cpu":        "research VMs",
	"steam_cs2":            "game",
	"twitter_stream":       "social media",
	"wc98":                 "web",
}

// Domain is what a trace is about: traces of one domain may resemble each
// other, so that what is chosen on one says little of how it does on strangers
// where it is tried on the other. A trace that is not known here is a domain
// of its own.
func Domain(name string) string {
	if d, ok := domains[name]; ok {
		return d
	}
	return name
}
