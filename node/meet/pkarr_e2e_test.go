// Claims about pkarr, held to an independent implementation: the npm package of that name.

//go:build e2e

package meet_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"nightjar/audit/privnet/lender"
	"nightjar/audit/privnet/swarm"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/relay"
)

// script lets the package read a packet by our relay, and store one of its own.
const script = `
import pkarr from 'pkarr'
import { z32 } from 'pkarr'
const [relay, key] = process.argv.slice(2)
const log = console.log
console.log = () => {}
const read = await pkarr.relayGet(relay, Buffer.from(key, 'hex'))
const answer = read.packet().answers[0]
const pair = pkarr.generateKeyPair()
const { SignedPacket } = await import('pkarr')
const own = SignedPacket.fromPacket(pair, { id: 0, type: 'response', flags: 0,
  answers: [{ name: '_test', type: 'TXT', class: 'IN', data: 'from npm' }] })
const put = await pkarr.relayPut(relay, own)
const again = await pkarr.relayGet(relay, pair.publicKey)
const older = SignedPacket.fromPacket(pair, { id: 0, type: 'response', flags: 0, answers: [] },
  { timestamp: own.timestamp() - 1000 })
const stale = await pkarr.relayPut(relay, older)
const none = await fetch(relay + '/' + z32.encode(pkarr.generateKeyPair().publicKey))
const at = relay + '/' + z32.encode(pair.publicKey)
const send = async (url, body, headers = {}) =>
  (await fetch(url, { method: 'PUT', body, headers })).status
const payload = (packet) => Buffer.from(packet.bytes())
const good = payload(own)
const forged = Buffer.from(good)
forged[0] ^= 1
const newer = SignedPacket.fromPacket(pair, { id: 0, type: 'response', flags: 0,
  answers: [{ name: '_test', type: 'TXT', class: 'IN', data: 'newer' }] })
const wrong = await send(at, payload(newer), { 'If-Match': '1' })
const right = await send(at, payload(newer), { 'If-Match': String(own.timestamp()) })
const got = await fetch(at)
const since = got.headers.get('Last-Modified')
const same = await fetch(at, { headers: { 'If-Modified-Since': since } })
const before = await fetch(at, { headers: { 'If-Modified-Since':
  new Date(Date.parse(since) - 1000).toUTCString() } })
const asked = await fetch(at, { method: 'OPTIONS' })
const refused = {
  badKey: (await fetch(relay + '/nokey')).status, badKeyPut: await send(relay + '/nokey', good),
  forged: await send(at, forged), short: await send(at, good.subarray(0, 50)),
  long: await send(at, Buffer.alloc(1073)), older: await send(at, good),
  other: await send(relay + '/' + z32.encode(pkarr.generateKeyPair().publicKey), good),
  method: (await fetch(at, { method: 'DELETE' })).status, wrong, right,
  same: same.status, before: before.status }
const heads = { type: got.headers.get('Content-Type'), cache: got.headers.get('Cache-Control'),
  seen: got.headers.get('Memento-Datetime') !== null,
  origin: asked.headers.get('Access-Control-Allow-Origin'),
  methods: asked.headers.get('Access-Control-Allow-Methods'), asked: String(asked.status) }
log(JSON.stringify({ name: answer.name, type: answer.type, origin: z32.encode(read.publicKey()),
  sizes: answer.data.map(d => d.length), answers: read.packet().answers.length,
  put: put.status, stored: put.headers.get('Pkarr-Dht-Stored-Nodes'),
  key: Buffer.from(pair.publicKey).toString('hex'), stale: stale.status, none: none.status,
  again: again.resourceRecords('_test')[0].data.toString(), refused, heads }))
process.exit(0)
`

// front serves a gateway's relay on a loopback port, for clients that speak TCP.
func front(t *testing.T, l *lender.Lender) string {
	t.Helper()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	t.Cleanup(func() { _ = tcp.Close(); work.Wait() })
	work.Go(func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			link, err := l.Relay(t.Context())
			if err != nil {
				_ = c.Close()
				continue
			}
			both := func() { _ = c.Close(); _ = link.Stream.Close() }
			work.Go(func() { _, _ = io.Copy(link.Stream, c); both() })
			work.Go(func() { _, _ = io.Copy(c, link.Stream); both() })
		}
	})
	return "http://" + tcp.Addr().String()
}

// npm installs the package into a new directory and returns a way to run the script.
func npm(t *testing.T) func(ctx context.Context, args ...string) ([]byte, error) {
	t.Helper()
	for _, exe := range []string{"node", "npm"} {
		if _, err := exec.LookPath(exe); err != nil {
			t.Fatal("the packages nodejs and npm of Debian are missing")
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"package.json": `{"type":"module"}`,
		"ask.js": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "install", "--ignore-scripts", "--no-audit",
		"--no-fund", "pkarr@1.3.0")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v: %s", err, out)
	}
	return func(ctx context.Context, args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "node", append([]string{"ask.js"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			out = exit.Stderr
		}
		return out, err
	}
}

// reply is what the script says.
type reply struct {
	Name, Type, Origin, Stored, Key, Again string
	Sizes                                  []int
	Answers, Put, Stale, None              int
	Refused                                map[string]int
	Heads                                  map[string]any
}

// checkWords fails unless what the relay refuses has the statuses of pkarr's specification, and
// what it gives the headers.
func (said *reply) checkWords(t *testing.T) {
	t.Helper()
	for what, want := range map[string]int{"badKey": 400, "badKeyPut": 400, "forged": 400,
		"short": 400, "long": 413, "older": 409, "other": 400, "method": 405, "wrong": 412,
		"right": 204, "same": 304, "before": 200} {
		if said.Refused[what] != want {
			t.Errorf("%s: status %d, want %d", what, said.Refused[what], want)
		}
	}
	for what, want := range map[string]any{"type": "application/octet-stream",
		"cache": "public, max-age=300", "seen": true, "origin": "*",
		"methods": "GET, PUT, OPTIONS", "asked": "204"} {
		if said.Heads[what] != want {
			t.Errorf("%s: %v, want %v", what, said.Heads[what], want)
		}
	}
}

func TestPkarrOfOthersUsesOurRelayAndReadsOurPackets(t *testing.T) {
	run := npm(t)
	l, ours := published(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := run(ctx, front(t, l), hex.EncodeToString(ours[:]))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("pkarr says %s", out)
	var said reply
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	if said.Name != relay.Name(ours) || said.Origin != said.Name || said.Type != "TXT" ||
		said.Answers != 1 || len(said.Sizes) != 3 || said.Sizes[2] != 106 {
		t.Errorf("our packet is read as %+v", said)
	}
	stored, _ := strconv.Atoi(said.Stored)
	if said.Put != 204 || stored < 8 || said.Again != "from npm" || said.Stale != 409 ||
		said.None != 404 {
		t.Errorf("our relay was used as %+v", said)
	}
	said.checkWords(t)
	theirs, err := hex.DecodeString(said.Key)
	if err != nil {
		t.Fatal(err)
	}
	link, err := l.Relay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer link.Stream.Close()
	if _, err := link.Get(t.Context(), [32]byte(theirs)); err != nil {
		t.Errorf("their packet is not found: %v", err)
	}
}

// published returns a gateway to a swarm in which a record of ours is stored, and its key.
func published(t *testing.T) (*lender.Lender, [32]byte) {
	t.Helper()
	var mu sync.Mutex
	var key [32]byte
	s, err := swarm.Start(t.Context(), swarm.Options{Nodes: 30, OnQuery: func(q swarm.Query) {
		if q.Name == "put" {
			mu.Lock()
			defer mu.Unlock()
			key = q.Key
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	l, err := lender.Start(t.Context(), s.Addrs()[:8])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	m := &meet.Meeting{Carrier: l}
	r := card.Reach{Auth: [32]byte{1}, Expires: time.Now().Add(time.Hour)}
	if _, err := m.Publish(t.Context(), [32]byte{1}, meet.Low, r); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return l, key
}
