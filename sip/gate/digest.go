// The digest of the one account (RFC 2617 with qop=auth, as SIP phones do it), and the nonces.

package gate

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Realm is what the account belongs to, as phones show it. It is the same everywhere.
const Realm = "nightjar"

// Bounds of the nonce store.
const (
	nonceLife = 2 * time.Minute
	nonceMax  = 256 // outstanding; the oldest is forgotten first
	resendFor = 32 * time.Second
)

// verdict is what a request's credentials are worth.
type verdict int

const (
	absent verdict = iota // none, or none that we can read
	wrong                 // a name, password or algorithm that is not the account's
	stale                 // right, but the nonce is old, unknown or used
	right
)

// nonce is a challenge that we gave out.
type nonce struct {
	born time.Time
	used int               // highest count seen
	last [sha256.Size]byte // of the request that used it
	when time.Time         // and when, to know a retransmission from a replay
}

// keyring holds the account and its outstanding nonces.
type keyring struct {
	user, password string

	mu     sync.Mutex
	nonces map[string]*nonce
	order  []string // oldest first
}

func newKeyring(user, password string) *keyring {
	return &keyring{user: user, password: password, nonces: map[string]*nonce{}}
}

// challenge makes a new nonce and the header value that carries it. MD5 stands alone: some
// phones fail on any other algorithm, and the password is random and never leaves loopback.
func (k *keyring) challenge(now time.Time, isStale bool) string {
	var r [16]byte
	rand.Read(r[:])
	name := hex.EncodeToString(r[:])
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.order) >= nonceMax || len(k.order) > 0 &&
		now.Sub(k.nonces[k.order[0]].born) > nonceLife {
		delete(k.nonces, k.order[0])
		k.order = k.order[1:]
	}
	k.nonces[name] = &nonce{born: now}
	k.order = append(k.order, name)
	c := digest.Challenge{Realm: Realm, Nonce: name, Algorithm: "MD5", QOP: []string{"auth"},
		Stale: isStale}
	return c.String()
}

// judge looks at the credentials in the values of the authorization headers. uri is the
// request's as the phone wrote it, print a hash of the whole request, resend whether the
// carrier may bring the same request twice.
func (k *keyring) judge(values []string, method sip.RequestMethod, uri string,
	print [sha256.Size]byte, resend bool, now time.Time) verdict {
	best := absent
	for _, v := range values {
		if !digest.IsDigest(v) || len(v) > maxLine {
			continue
		}
		cred, err := digest.ParseCredentials(v)
		if err != nil {
			continue
		}
		best = max(best, k.judgeOne(cred, method, uri, print, resend, now))
	}
	return best
}

func (k *keyring) judgeOne(cred *digest.Credentials, method sip.RequestMethod, uri string,
	print [sha256.Size]byte, resend bool, now time.Time) verdict {
	if cred.Realm != Realm {
		return absent // of another server, sent along
	}
	if cred.Username != k.user || cred.QOP != "auth" || cred.Nc <= 0 || !sameUser(cred.URI, uri) ||
		cred.Algorithm != "" && cred.Algorithm != "MD5" && cred.Algorithm != "md5" {
		return wrong
	}
	want, err := digest.Digest(
		&digest.Challenge{Realm: Realm, Nonce: cred.Nonce, Algorithm: "MD5",
			QOP: []string{"auth"}},
		digest.Options{Method: string(method), URI: cred.URI, Username: cred.Username,
			Password: k.password, Cnonce: cred.Cnonce, Count: cred.Nc})
	if err != nil || cred.Cnonce == "" ||
		subtle.ConstantTimeCompare([]byte(want.Response), []byte(cred.Response)) != 1 {
		return wrong
	}
	return k.spend(cred.Nonce, cred.Nc, print, resend, now)
}

// sameUser reports whether the URI that the phone hashed fits the one it asks for. Phones write
// the same address in two ways, and some hash the server's alone; but a digest for one name never
// opens another.
func sameUser(hashed, asked string) bool {
	var h, a sip.Uri
	if sip.ParseUri(hashed, &h) != nil || sip.ParseUri(asked, &a) != nil {
		return false
	}
	return h.Scheme == "sip" && (h.User == "" || h.User == a.User)
}

// spend uses a nonce once per count. The very same request again within the time that phones
// retransmit is let through: the transaction layer answers it without acting twice.
func (k *keyring) spend(name string, nc int, print [sha256.Size]byte, resend bool,
	now time.Time) verdict {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.nonces[name]
	if n == nil || now.Sub(n.born) > nonceLife {
		return stale
	}
	if nc > n.used {
		n.used, n.last, n.when = nc, print, now
		return right
	}
	if resend && nc == n.used && n.last == print && now.Sub(n.when) < resendFor {
		return right
	}
	return stale
}
