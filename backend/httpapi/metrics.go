package httpapi

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Metrics counts what a server does, for Prometheus. It is served on a listener
// of its own, see [Metrics.Handler]. A nil Metrics measures nothing.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	failures  *prometheus.CounterVec
}

// MetricsOptions are what a [Metrics] reads beside requests.
type MetricsOptions struct {
	Portal         *portal.Portal
	Version        string       // of the program; "": not told
	PasswordsQueue func() int   // passwords that wait to be hashed; nil: not measured
	MailsQueue     func() int   // mails that wait; nil: not measured
	MailsDelivered func() int64 // mails handed over; nil: not measured
	MailsFailed    func() int64 // mails given up; nil: not measured
	FailedWrites   func() int64 // changes that storage did not take; nil: not measured
}

// NewMetrics returns collectors over a portal.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_http_requests_total", Help: "Requests by method, route template and status.",
		}, []string{"method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_http_request_duration_seconds", Help: "Time from the arrival of a request to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"method", "route"}),
	}
	m.failures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gatehouse_failures_total", Help: "Requests that failed because storage did not answer, because a key is missing in the key file, or for a fault of ours.",
	}, []string{"cause"})
	m.registry.MustRegister(m.requests, m.durations, m.failures, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &portalCollector{o.Portal})
	gauge := func(name, help string, read func() int) {
		if read != nil {
			m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
				func() float64 { return float64(read()) }))
		}
	}
	if o.Version != "" {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gatehouse_build_info", Help: "1, with the version of the program and of Go.",
			ConstLabels: prometheus.Labels{"version": o.Version, "go": runtime.Version()},
		}, func() float64 { return 1 }))
	}
	count := func(name, help string, read func() int64) {
		if read != nil {
			m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
				func() float64 { return float64(read()) }))
		}
	}
	count("gatehouse_storage_writes_failed_total", "Changes that storage did not take: its disk is full or failing, or it is out of reach.", o.FailedWrites)
	count("gatehouse_mails_delivered_total", "Mails that the mail server, or the outbox, took.", o.MailsDelivered)
	count("gatehouse_mails_failed_total", "Mails that were given up: refused, or tried for half an hour.", o.MailsFailed)
	gauge("gatehouse_calls_queued", "Calls that wait to be recorded.", o.Portal.QueuedCalls)
	gauge("gatehouse_passwords_queued", "Passwords that wait to be hashed.", o.PasswordsQueue)
	gauge("gatehouse_mails_queued", "Mails that wait to be delivered.", o.MailsQueue)
	return m
}

// Handler serves the metrics in the text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// noRoute stands for the route of pages, and of what does not exist.
const noRoute = "none"

// served counts one request.
func (m *Metrics) served(method, route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = noRoute // paths would be without number
	}
	m.requests.WithLabelValues(method, route, statusText(status)).Inc()
	m.durations.WithLabelValues(method, route).Observe(took.Seconds())
}

// failed counts a request that was not the client's fault; cause is storage,
// keys or internal.
func (m *Metrics) failed(cause string) {
	if m != nil {
		m.failures.WithLabelValues(cause).Inc()
	}
}

// statusText saves the usual statuses an allocation.
func statusText(status int) string {
	switch status {
	case 200:
		return "200"
	case 401:
		return "401"
	case 403:
		return "403"
	case 429:
		return "429"
	default:
		return strconv.Itoa(status)
	}
}

// portalCollector reads the counters that the rules keep.
type portalCollector struct{ portal *portal.Portal }

var (
	decisionsDesc = prometheus.NewDesc("gatehouse_decisions_total", "Decisions about tokens by outcome.", []string{"code"}, nil)
	malformedDesc = prometheus.NewDesc("gatehouse_malformed_tokens_total", "Credentials refused by their form or checksum, without a look-up.", nil, nil)
	failedDesc    = prometheus.NewDesc("gatehouse_lookup_errors_total", "Token records that storage could not read.", nil, nil)
	checksumDesc  = prometheus.NewDesc("gatehouse_mistyped_tokens_total", "Of the malformed credentials, those with a wrong checksum: typos and truncations.", nil, nil)
	repeatedDesc  = prometheus.NewDesc("gatehouse_call_batches_repeated_total", "Batches of calls that storage refused at first.", nil, nil)
	lostDesc      = prometheus.NewDesc("gatehouse_calls_lost_total", "Calls that storage refused for good, or that came too late for a process that ended.", nil, nil)
	refusedDesc   = prometheus.NewDesc("gatehouse_calls_unrecorded_total", "Refused calls of dead tokens, and beyond the limits of living ones, that were too many to be recorded.", nil, nil)
	sizesDesc     = prometheus.NewDesc("gatehouse_lookup_batch_size", "Tokens that one query read for the decisions that waited.", nil, nil)
	inFlightDesc  = prometheus.NewDesc("gatehouse_lookups_in_flight", "Queries for token records that are under way.", nil, nil)
	waitingDesc   = prometheus.NewDesc("gatehouse_lookups_waiting", "Decisions that wait for the next query.", nil, nil)
	tripDesc      = prometheus.NewDesc("gatehouse_lookup_round_trip_seconds", "How long the fastest of the last queries took.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (p *portalCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		decisionsDesc, malformedDesc, checksumDesc, failedDesc, repeatedDesc, lostDesc, refusedDesc, sizesDesc, inFlightDesc, waitingDesc, tripDesc,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (p *portalCollector) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	stats := p.portal.Stats()
	for code, n := range stats.Decisions() {
		count(decisionsDesc, n, string(code))
	}
	mistyped := stats.WrongChecksum.Load()
	count(malformedDesc, stats.Malformed.Load()+mistyped)
	count(checksumDesc, mistyped)
	count(failedDesc, stats.LookupErrors.Load())
	count(repeatedDesc, p.portal.RepeatedBatches())
	count(lostDesc, p.portal.LostCalls())
	count(refusedDesc, p.portal.UnrecordedCalls())
	if l, ok := p.portal.Lookups(); ok {
		collectLookups(ch, &l)
	}
}

func collectLookups(ch chan<- prometheus.Metric, l *portal.LookupStats) {
	upTo, total := map[float64]uint64{}, uint64(0)
	for i, n := range l.Sizes {
		total += uint64(n)
		upTo[float64(portal.LookupSizes[i])] = total
	}
	ch <- prometheus.MustNewConstHistogram(sizesDesc, uint64(l.Queries), float64(l.Tokens), upTo)
	for d, v := range map[*prometheus.Desc]float64{
		inFlightDesc: float64(l.InFlight), waitingDesc: float64(l.Waiting), tripDesc: l.Trip.Seconds(),
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}
