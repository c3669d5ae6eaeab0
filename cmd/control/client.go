// The side of the socket that asks.

package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"

	"nightjar/cmd/control/api"
)

// Client speaks to the engine behind one control socket.
type Client struct {
	http *http.Client
}

// NewClient makes a client of the socket at path. Nothing is opened before the first request.
func NewClient(path string) *Client { return newClient(path, nil) }

func newClient(path string, d Dial) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return d.to(path)
		},
	}}}
}

// Do sends a request with in as JSON (nil: none) and reads the answer into out (nil: ignored).
// It returns *Error when the engine says no, and ErrNoEngine when none is there.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if json.NewDecoder(res.Body).Decode(out) != nil {
		return ErrNoEngine
	}
	return nil
}

// Events calls f for everything that happens until f returns false, ctx ends (its error) or the
// engine does (ErrNoEngine). ready is called once nothing that happens can be missed; its error
// ends the watch.
func (c *Client) Events(ctx context.Context, ready func() error, f func(api.Event) bool) error {
	res, err := c.send(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := ready(); err != nil {
		return err
	}
	dec := json.NewDecoder(res.Body)
	for {
		var e api.Event
		if dec.Decode(&e) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return ErrNoEngine
		}
		if !f(e) {
			return nil
		}
	}
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var payload io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, payload)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return nil, ErrTimeout
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		return nil, ErrNoEngine
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		e := &Error{}
		if json.NewDecoder(res.Body).Decode(e) != nil || e.Code == "" {
			e = &Error{Code: "bad-request", Message: errRequest.Error()}
		}
		return nil, e
	}
	return res, nil
}
