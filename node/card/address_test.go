// Claims about addresses.

package card

import (
	"errors"
	"strings"
	"testing"
)

const goldenAddress = "agfiry65oqe7dfp5klns2pf2lvzmuzyjx4ozieq36n2iqanub5xvyb2x"

func TestAddressIsWrittenAsItAlwaysWas(t *testing.T) {
	if got := newPerson(t, 1).address().String(); got != goldenAddress {
		t.Fatalf("got %s", got)
	}
}

func TestAddressSurvivesCaseAndSpace(t *testing.T) {
	upper := strings.ToUpper(goldenAddress)
	for _, s := range []string{goldenAddress, upper, " " + goldenAddress + "\n"} {
		a, err := ParseAddress(s)
		if err != nil || a != newPerson(t, 1).address() {
			t.Fatalf("%q: %v", s, err)
		}
	}
}

func TestEveryWrongCharacterOfAnAddressIsFound(t *testing.T) {
	missed := 0
	for i := range goldenAddress {
		for _, c := range "abcdefghijklmnopqrstuvwxyz234567" {
			s := goldenAddress[:i] + string(c) + goldenAddress[i+1:]
			if s == goldenAddress {
				continue
			}
			if _, err := ParseAddress(s); err == nil {
				missed++
			}
		}
	}
	if missed > 1 { // 16 bits of checksum over 1736 slips: 0.03 expected
		t.Fatalf("%d slips of the pen went unseen", missed)
	}
}

func TestAddressRefusesWhatNobodyCanOwn(t *testing.T) {
	written := func(key [32]byte) string { return Address(key).String() }
	identity, twist := [32]byte{1}, [32]byte{2}
	second := [32]byte{0xee}
	for i := 1; i < 31; i++ {
		second[i] = 0xff
	}
	second[31] = 0x7f // p+1: the identity, written a second way
	newer := append([]byte{2}, make([]byte, 32)...)
	sum := addressSum(newer)
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                {"", ErrAddress},
		"onion service id":     {strings.Repeat("a", 55) + "d", ErrAddress},
		"too long":             {goldenAddress + "a", ErrAddress},
		"line break in it":     {goldenAddress[:20] + "\n" + goldenAddress[20:55], ErrAddress},
		"low order":            {written(identity), ErrAddress},
		"not on the curve":     {written(twist), ErrAddress},
		"second way to say it": {written(second), ErrAddress},
		"newer version":        {letters.EncodeToString(append(newer, sum[:]...)), ErrVersion},
	} {
		if _, err := ParseAddress(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add(goldenAddress)
	f.Add(strings.Repeat("a", 56))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err == nil && a.String() != strings.ToLower(strings.TrimSpace(s)) {
			t.Fatal("parsed to another address")
		}
	})
}
