package server

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/deliver"
	"github.com/tenterhook/tenterhook/internal/ingest"
)

// metrics are what /metrics shows. Labels are names out of the configuration and
// closed lists, never what a sender wrote.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	rejections *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	handshakes *prometheus.CounterVec
	leaks      *prometheus.CounterVec
	mismatches *prometheus.CounterVec
	accept     prometheus.Histogram
	bodyBytes  prometheus.Counter
	attempts   *prometheus.CounterVec
	attemptSec *prometheus.HistogramVec
	endToEnd   *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	quick := prometheus.ExponentialBuckets(0.0005, 2, 15) //nolint:mnd // 0.5 ms to 8 s
	slow := prometheus.ExponentialBuckets(0.001, 3, 12)   //nolint:mnd // 1 ms to 3 min
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_requests_total",
			Help: "Requests to a source, by the status that was answered."}, []string{"source", "status"}),
		rejections: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_rejections_total",
			Help: "Requests that were refused, by reason."}, []string{"source", "reason"}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_duplicates_total",
			Help: "Requests for an event that was there already."}, []string{"source"}),
		handshakes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_handshakes_total",
			Help: "Handshakes of providers that were answered as they wanted."}, []string{"source"}),
		leaks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_secret_leaks_total",
			Help: "Events that had the source's secret written out in them."}, []string{"source"}),
		mismatches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_schema_mismatches_total",
			Help: "Events that were accepted although they do not match the source's schema."}, []string{"source"}),
		accept: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tenterhook_accept_seconds",
			Help: "From a request to its durable acceptance.", Buckets: quick}),
		bodyBytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "tenterhook_received_bytes_total",
			Help: "Bytes of request bodies."}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenterhook_attempts_total",
			Help: "Attempts, by outcome."}, []string{"destination", "outcome"}),
		attemptSec: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tenterhook_attempt_seconds",
			Help: "How long attempts took.", Buckets: slow}, []string{"destination"}),
		endToEnd: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tenterhook_delivery_seconds",
			Help: "From the receipt of an event to its delivery.", Buckets: slow}, []string{"destination"}),
	}
	m.registry.MustRegister(m.requests, m.rejections, m.duplicates, m.handshakes, m.leaks, m.mismatches, m.accept,
		m.bodyBytes, m.attempts, m.attemptSec, m.endToEnd,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), backlog{s})
	return m
}

// source has what is counted of a source shown from the start, as zero.
func (m *metrics) source(name string) {
	for _, counter := range []*prometheus.CounterVec{m.duplicates, m.handshakes, m.leaks, m.mismatches} {
		counter.WithLabelValues(name)
	}
}

func (m *metrics) request(o *ingest.Observation) {
	source := o.Source
	if !o.Known {
		source = "unknown"
	}
	m.requests.WithLabelValues(source, strconv.Itoa(o.Status)).Inc()
	m.bodyBytes.Add(float64(o.Size))
	switch {
	case o.Reason != "":
		m.rejections.WithLabelValues(source, o.Reason).Inc()
		return
	case o.Handshake:
		m.handshakes.WithLabelValues(source).Inc()
		return
	case o.Receipt.Duplicate:
		m.duplicates.WithLabelValues(source).Inc()
	}
	if marks := o.Event.Marks; !marks.IsZero() {
		if marks.Leaked {
			m.leaks.WithLabelValues(source).Inc()
		}
		if marks.SchemaMismatch != "" {
			m.mismatches.WithLabelValues(source).Inc()
		}
	}
	m.accept.Observe(o.Duration.Seconds())
}

func (m *metrics) attempt(o deliver.Observation) {
	name := o.Delivery.Destination
	m.attempts.WithLabelValues(name, string(o.Attempt.Outcome)).Inc()
	m.attemptSec.WithLabelValues(name).Observe(o.Attempt.Duration.Seconds())
	if o.Attempt.Outcome == tenterhook.OutcomeSuccess && o.Event != nil {
		end := o.Attempt.StartedAt.Add(o.Attempt.Duration)
		m.endToEnd.WithLabelValues(name).Observe(end.Sub(o.Event.ReceivedAt).Seconds())
	}
}

// backlog reads how much waits when it is asked.
type backlog struct{ server *Server }

func (backlog) descs() (waiting, dead, oldest, bytes, commits, inFlight *prometheus.Desc) {
	label := []string{"destination"}
	return prometheus.NewDesc("tenterhook_deliveries_waiting", "Deliveries that wait or are to be retried.", label, nil),
		prometheus.NewDesc("tenterhook_deliveries_dead", "Deliveries that were given up.", label, nil),
		prometheus.NewDesc("tenterhook_oldest_due_seconds", "How long the first waiting delivery has been due.", label, nil),
		prometheus.NewDesc("tenterhook_store_bytes", "Size of the database files.", nil, nil),
		prometheus.NewDesc("tenterhook_store_commits_total", "Transactions committed.", nil, nil),
		prometheus.NewDesc("tenterhook_bytes_in_flight", "Bytes of request bodies in memory.", nil, nil)
}

// Describe implements [prometheus.Collector].
func (b backlog) Describe(ch chan<- *prometheus.Desc) {
	waiting, dead, oldest, bytes, commits, inFlight := b.descs()
	for _, d := range []*prometheus.Desc{waiting, dead, oldest, bytes, commits, inFlight} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (b backlog) Collect(ch chan<- prometheus.Metric) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	waiting, dead, oldest, bytes, commits, inFlight := b.descs()
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	ch <- prometheus.MustNewConstMetric(commits, prometheus.CounterValue, float64(b.server.store.Commits()))
	gauge(inFlight, float64(b.server.ingest.InFlight()))
	st, err := b.server.store.Stats(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(waiting, err)
		return
	}
	gauge(bytes, float64(st.Bytes))
	for name, n := range st.Pending {
		gauge(waiting, float64(n), name)
	}
	for name, n := range st.Dead {
		gauge(dead, float64(n), name)
	}
	for name, at := range st.OldestDue {
		gauge(oldest, max(0, time.Since(at).Seconds()), name)
	}
}
