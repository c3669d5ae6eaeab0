// Claims about an independent DHT: nodes of libtorrent (Debian: python3-libtorrent, openssl).

//go:build e2e

package meet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"nightjar/node/meet/serve"
	"nightjar/node/meet/walk"
)

// libtorrent is a running DHT of libtorrent nodes.
type libtorrent struct {
	t     *testing.T
	in    io.Writer
	out   *bufio.Scanner
	nodes []netip.AddrPort
}

func startLibtorrent(t *testing.T, n int) *libtorrent {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's modules
	if err := exec.Command(python, "-c", "import libtorrent").Run(); err != nil {
		t.Fatal("the package python3-libtorrent is missing")
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("the package openssl is missing")
	}
	c := exec.Command(python, "testdata/lt_nodes.py", fmt.Sprint(n))
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, said.String())
		}
	})
	l := &libtorrent{t: t, in: in, out: bufio.NewScanner(out)}
	for {
		line := l.line()
		if strings.HasPrefix(line, "ready") {
			return l
		}
		l.nodes = append(l.nodes, netip.MustParseAddrPort(line))
	}
}

func (l *libtorrent) line() string {
	l.t.Helper()
	if !l.out.Scan() {
		l.t.Fatal("libtorrent ended")
	}
	return l.out.Text()
}

// get asks libtorrent for the item of a key.
func (l *libtorrent) get(key [32]byte) string {
	l.t.Helper()
	fmt.Fprintf(l.in, "get %x\n", key)
	return l.line()
}

// put lets libtorrent store a value under a key, and returns how many nodes took it.
func (l *libtorrent) put(seed [32]byte, value []byte) string {
	l.t.Helper()
	fmt.Fprintf(l.in, "put %x %x\n", seed, value)
	return l.line()
}

// libtorrent takes whoever puts with a valid token into its table, whatever ro says (BEP43), and
// hands the address out afterwards. So both we and it meet dead nodes here, which takes time.
func TestLibtorrentKeepsWhatWePublish(t *testing.T) {
	l := startLibtorrent(t, 16)
	m := &Meeting{Carrier: direct(l.nodes[:4])}
	const contacts = 4
	for n := range byte(contacts) {
		publish(t, m, fixed(n), Low, lasting(n))
		find(t, m, fixed(n), Low, lasting(n))
		publish(t, m, fixed(n), Low, lasting(n+1)) // a newer one
		find(t, m, fixed(n), Low, lasting(n+1))
	}
	leave(t, m, fixed(1), 1)
	if n := len(collect(t, m, fixed(1))); n != 1 {
		t.Fatalf("%d invitations", n)
	}
	for n := range byte(contacts) {
		s := pairSlot(fixed(n), Low, epochs.at(time.Now()))
		_, value, ok := strings.Cut(l.get(s.key()), " ")
		b, err := hex.DecodeString(value)
		if !ok || err != nil {
			t.Fatalf("libtorrent found %q: %v", value, err)
		}
		opened, ok := s.open(walk.Item{Key: s.key(), Value: b})
		if r, good := parseReach(opened); !ok || !good || !reflect.DeepEqual(r, lasting(n+1)) {
			t.Fatal("libtorrent found something else")
		}
	}
}

func TestWeFindWhatLibtorrentPublishes(t *testing.T) {
	l := startLibtorrent(t, 16)
	m := &Meeting{Carrier: direct(l.nodes[:4])}
	for n := range byte(5) {
		s := pairSlot(fixed(n), High, 1000)
		i := s.put(body(t, reach()), 1)
		if acks := l.put([32]byte(s.sign.Seed()), i.Value); acks < "4" {
			t.Fatalf("libtorrent stored it at %s", acks)
		}
		err := m.road(t.Context(), m.Carrier.Trip(), func(r *walk.Road) error {
			got, err := r.Get(t.Context(), s.key(), 0)
			if err == nil && !bytes.Equal(got.Value, i.Value) {
				t.Error("we found something else")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// serving runs n nodes of ours that know one of libtorrent's, and returns them and their addresses.
func serving(t *testing.T, n int, known netip.AddrPort) (all []*serve.Server, at []netip.AddrPort) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	for i := range n {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, byte(i+1), 7, 1)})
		if err != nil {
			t.Fatal(err)
		}
		s := &serve.Server{Nodes: func() []netip.AddrPort { return []netip.AddrPort{known} },
			Allowed: func(a netip.AddrPort) bool { return a.Addr().IsLoopback() }}
		running.Go(func() { _ = s.Run(ctx, c, false) })
		all, at = append(all, s), append(at, c.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	return all, at
}

func TestLibtorrentStoresAtAndReadsFromNodesOfOurs(t *testing.T) {
	l := startLibtorrent(t, 1)
	all, at := serving(t, 12, l.nodes[0])
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-poll.C {
		least := 99
		for _, s := range all {
			least = min(least, s.Stats().Nodes)
		}
		if least >= 6 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("one of ours knows %d others", least)
		}
	}
	s := pairSlot(fixed(1), High, 1000)
	i := s.put(body(t, reach()), 1)
	if acks := l.put([32]byte(s.sign.Seed()), i.Value); acks == "0" {
		t.Fatal("libtorrent stored nothing at them")
	}
	stored := uint64(0)
	for _, s := range all {
		stored += s.Stats().Stored
	}
	m := &Meeting{Carrier: direct(at[:3])}
	err := m.road(t.Context(), m.Carrier.Trip(), func(r *walk.Road) error {
		got, err := r.Get(t.Context(), s.key(), 0)
		if err == nil && !bytes.Equal(got.Value, i.Value) {
			t.Error("we found something else")
		}
		return err
	})
	if err != nil || stored == 0 {
		t.Fatalf("stored at %d of ours: %v", stored, err)
	}
	publish(t, m, fixed(2), Low, lasting(2))
	own := pairSlot(fixed(2), Low, epochs.at(time.Now()))
	_, value, ok := strings.Cut(l.get(own.key()), " ")
	b, err := hex.DecodeString(value)
	if opened, good := own.open(walk.Item{Key: own.key(), Value: b}); !ok || err != nil || !good {
		t.Fatalf("libtorrent reads %q from them", value)
	} else if r, ok := parseReach(opened); !ok || !reflect.DeepEqual(r, lasting(2)) {
		t.Fatal("libtorrent reads something else from them")
	}
}
