// The client: one request on a stream that it is given.

package relay

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"nightjar/node/meet/walk"
)

// answerTime is how long a relay may take for its walk and the way there and back.
const answerTime = 20 * time.Second

const maxAnswer = 16 << 10 // bytes of an answer, with its head

// A Link is a stream to a relay. It is used for one request at a time, and closed by its owner.
type Link struct {
	Stream net.Conn
	Host   string // for the request's Host line
	Prefix string // before "/<key>", such as "" or "/relay"

	Date time.Time // what the relay's clock said in its last answer; zero if nothing
}

// Get asks for the item of a key: ErrNotFound, ErrRelay or the error of ctx.
func (l *Link) Get(ctx context.Context, key [32]byte) (walk.Item, error) {
	status, body, _, err := l.ask(ctx, http.MethodGet, key, nil)
	if err != nil {
		return walk.Item{}, err
	}
	switch status {
	case http.StatusOK:
		i, err := Unmarshal(key, body)
		if err != nil {
			return i, ErrRelay
		}
		return i, nil
	case http.StatusNotFound:
		return walk.Item{}, ErrNotFound
	}
	return walk.Item{}, ErrRelay
}

// Put asks to store an item and returns how many nodes took it by the relay's word, 0 when it does
// not say: ErrOlder, ErrRelay or the error of ctx.
func (l *Link) Put(ctx context.Context, i walk.Item) (int, error) {
	status, _, head, err := l.ask(ctx, http.MethodPut, i.Key, Marshal(i))
	if err != nil {
		return 0, err
	}
	switch status {
	case http.StatusOK, http.StatusNoContent:
		n, err := strconv.ParseUint(head.Get(storedHeader), 10, 16)
		if err != nil {
			n = 0
		}
		return int(n), nil
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return 0, ErrOlder
	}
	return 0, ErrRelay
}

// ask makes one request and reads its answer. The stream can be used again only after a success.
func (l *Link) ask(ctx context.Context, method string, key [32]byte, body []byte) (
	int, []byte, http.Header, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.Stream.Close() })
	defer stop()
	_ = l.Stream.SetDeadline(time.Now().Add(answerTime))
	q := &http.Request{Method: method, Host: l.Host, Proto: "HTTP/1.1", ProtoMajor: 1,
		ProtoMinor: 1, URL: &url.URL{Path: l.Prefix + "/" + Name(key)},
		Header: http.Header{"User-Agent": nil}} // none: it would name this program
	if body != nil {
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	var out bytes.Buffer
	if err := q.Write(&out); err != nil {
		return 0, nil, nil, ErrRelay
	}
	if _, err := l.Stream.Write(out.Bytes()); err != nil {
		return 0, nil, nil, lost(ctx)
	}
	r := bufio.NewReader(io.LimitReader(l.Stream, maxAnswer))
	a, err := http.ReadResponse(r, q)
	if err != nil {
		return 0, nil, nil, lost(ctx)
	}
	defer a.Body.Close()
	l.Date, _ = http.ParseTime(a.Header.Get("Date"))
	got, err := io.ReadAll(io.LimitReader(a.Body, maxBody+1))
	if err != nil || len(got) > maxBody {
		return 0, nil, nil, lost(ctx)
	}
	return a.StatusCode, got, a.Header, nil
}

func lost(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrRelay
}
