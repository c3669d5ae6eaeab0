// The server: it walks for whoever asks, and remembers nobody.

package relay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"nightjar/node/meet/atlas"
	"nightjar/node/meet/walk"
)

const (
	storedHeader = "Pkarr-Dht-Stored-Nodes"
	payloadType  = "application/octet-stream" // pkarr's own type holds the name of a host
	maxHead      = 4 << 10                    // bytes of a request before its body
	maxWalks     = 32                         // at a time, over all streams; more are told to come
	askRate      = 2                          // requests a second and stream; a faster client waits
	askBurst     = 16                         // a look into all slots of an inbox
	idle         = 2 * time.Minute            // without a request
	life         = 10 * time.Minute
	walkTime     = 15 * time.Second
	quorum       = 3 // copies of the newest item are enough
)

// A Server answers pkarr clients.
type Server struct {
	open  func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error)
	atlas atlas.Atlas
	walks chan struct{}

	mu      sync.Mutex
	putting map[[32]byte]work // at most maxWalks
}

// work is the items that are being stored under one key.
type work struct {
	sig [64]byte // of the first
	n   int
}

// NewServer returns a server. For each walk open returns a conn, as walk.Open needs it, and nodes
// to begin with.
func NewServer(open func(ctx context.Context) (net.PacketConn, []netip.AddrPort, error)) *Server {
	return &Server{open: open, walks: make(chan struct{}, maxWalks),
		putting: map[[32]byte]work{}}
}

// Serve answers the requests on one stream, one after the other, until the client goes away, is
// silent for two minutes or breaks a rule, or ctx ends. It closes the stream.
func (s *Server) Serve(ctx context.Context, stream net.Conn) {
	defer stream.Close()
	ctx, cancel := context.WithTimeout(ctx, life)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	pace := rate.NewLimiter(askRate, askBurst)
	limit := &io.LimitedReader{R: stream}
	r := bufio.NewReaderSize(limit, maxHead)
	for {
		_ = stream.SetReadDeadline(time.Now().Add(idle))
		limit.N = maxHead + maxBody
		q, err := http.ReadRequest(r)
		if err != nil || pace.Wait(ctx) != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(q.Body, maxBody+1))
		if err != nil {
			return
		}
		a := s.answer(ctx, q, body)
		a.Close = q.Close || len(body) > maxBody
		_ = stream.SetWriteDeadline(time.Now().Add(idle))
		if a.Write(stream) != nil || a.Close {
			return
		}
	}
}

// answer does what a request asks for.
func (s *Server) answer(ctx context.Context, q *http.Request, body []byte) *http.Response {
	ctx, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	key, ok := ParseName(strings.TrimPrefix(q.URL.Path, "/"))
	switch {
	case q.Method == http.MethodOptions:
		return reply(q, http.StatusNoContent, nil)
	case q.Method != http.MethodGet && q.Method != http.MethodPut:
		return reply(q, http.StatusMethodNotAllowed, nil)
	case !ok:
		return reply(q, http.StatusBadRequest, nil)
	case len(body) > maxBody:
		return reply(q, http.StatusRequestEntityTooLarge, nil)
	}
	select {
	case s.walks <- struct{}{}:
		defer func() { <-s.walks }()
	default:
		return reply(q, http.StatusTooManyRequests, nil)
	}
	if q.Method == http.MethodGet {
		return s.get(ctx, q, key)
	}
	return s.put(ctx, q, key, body)
}

// get walks for an item.
func (s *Server) get(ctx context.Context, q *http.Request, key [32]byte) *http.Response {
	var item walk.Item
	err := s.road(ctx, func(r *walk.Road) (err error) {
		item, err = r.Get(ctx, key, quorum)
		return err
	})
	switch {
	case errors.Is(err, walk.ErrNotFound):
		return reply(q, http.StatusNotFound, nil)
	case err != nil:
		return reply(q, http.StatusServiceUnavailable, nil)
	}
	seen := time.UnixMicro(item.Seq).UTC()
	a := reply(q, http.StatusOK, Marshal(item))
	if since, err := http.ParseTime(q.Header.Get("If-Modified-Since")); err == nil &&
		!seen.Truncate(time.Second).After(since) {
		a = reply(q, http.StatusNotModified, nil)
	}
	a.Header.Set("Content-Type", payloadType)
	a.Header.Set("Cache-Control", "public, max-age=300")
	a.Header.Set("Last-Modified", seen.Format(http.TimeFormat))
	a.Header.Set("Memento-Datetime", a.Header.Get("Date")) // nothing is kept: it was seen just now
	return a
}

// put walks to store an item.
func (s *Server) put(ctx context.Context, q *http.Request, key [32]byte,
	body []byte) *http.Response {
	item, err := Unmarshal(key, body)
	if err != nil || !message(item.Value) {
		return reply(q, http.StatusBadRequest, nil)
	}
	match, stored := q.Header.Get("If-Match"), walk.Stored{}
	alone := s.begin(item)
	defer s.end(item)
	if !alone && match == "" {
		return reply(q, http.StatusPreconditionRequired, nil)
	}
	status := http.StatusNoContent
	err = s.road(ctx, func(r *walk.Road) (err error) {
		stored, err = r.Put(ctx, key, 0, func(have *walk.Item) (walk.Item, bool) {
			if have != nil && match != "" && match != strconv.FormatInt(have.Seq, 10) {
				status = http.StatusPreconditionFailed
			} else if have != nil && (have.Seq > item.Seq || have.Seq == item.Seq &&
				!bytes.Equal(have.Value, item.Value)) {
				status = http.StatusConflict
			}
			return item, status == http.StatusNoContent
		})
		return err
	})
	switch {
	case status != http.StatusNoContent:
		return reply(q, status, nil)
	case errors.Is(err, walk.ErrTaken):
		return reply(q, http.StatusConflict, nil)
	case err != nil || stored.Acks == 0:
		return reply(q, http.StatusInternalServerError, nil)
	}
	a := reply(q, status, nil)
	a.Header.Set(storedHeader, strconv.Itoa(stored.Acks))
	return a
}

// begin notes that an item is being stored, and reports whether no other of its key is.
func (s *Server) begin(i walk.Item) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, other := s.putting[i.Key]
	if !other {
		w.sig = i.Sig
	}
	w.n++
	s.putting[i.Key] = w
	return !other || w.sig == i.Sig
}

// end notes that it is not any more.
func (s *Server) end(i walk.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.putting[i.Key]
	if w.n--; w.n == 0 {
		delete(s.putting, i.Key)
		return
	}
	s.putting[i.Key] = w
}

// road opens a road for one walk and closes it.
func (s *Server) road(ctx context.Context, f func(*walk.Road) error) error {
	conn, seeds, err := s.open(ctx)
	if err != nil {
		return err
	}
	r := walk.Open(ctx, conn, append(s.atlas.Seeds(near), seeds...))
	defer func() { s.atlas.Learn(atlas.Direct, r.Sizes(), r.Heard(), time.Now()) }()
	defer r.Close()
	r.Size = s.atlas.Size()
	return f(r)
}

// near is how many nodes that answered before a walk begins with.
const near = 8

// Nodes returns some nodes that answered its walks, at most 16, for clients that walk themselves.
func (s *Server) Nodes() []netip.AddrPort { return s.atlas.Seeds(2 * near) }

// reply makes an answer; any page may read it (Fetch standard, CORS).
func reply(q *http.Request, status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Request: q, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)},
			"Access-Control-Allow-Origin":   {"*"},
			"Access-Control-Allow-Methods":  {"GET, PUT, OPTIONS"},
			"Access-Control-Allow-Headers":  {"Content-Type, If-Match, If-Modified-Since"},
			"Access-Control-Expose-Headers": {storedHeader}}}
}
