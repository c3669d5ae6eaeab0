// Claims about the comparison: it must tell speech from other speech.

package sound

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// babble is noise whose pitch and loudness wander, as speech does.
func babble(seed uint64, seconds int) Clip {
	r := rand.New(rand.NewPCG(seed, 1))
	c := Clip{Rate: rate}
	pitch, phase, low := 120.0, 0.0, 0.0
	for i := range seconds * rate {
		if i%800 == 0 {
			pitch = 80 + 200*r.Float64()
		}
		phase += 2 * math.Pi * pitch / rate
		low += 0.2 * (r.NormFloat64() - low)
		loud := 2000 * (1.2 + math.Sin(float64(i)/3000+float64(seed)))
		c.Samples = append(c.Samples, loud*(math.Sin(phase)+0.5*math.Sin(3*phase)+low))
	}
	return c
}

func TestSameSpeechIsFoundWhereverItBegins(t *testing.T) {
	said := babble(1, 20)
	heard := Clip{Rate: rate, Samples: append(make([]float64, 5000),
		said.Samples[60123:60123+8*rate]...)}
	for i := range heard.Samples {
		heard.Samples[i] *= 0.3 // quieter
	}
	if m := Compare(said, heard); m.Median < 0.99 || m.Windows < 10 {
		t.Errorf("%+v", m)
	}
}

func TestOtherSpeechIsNotTakenForIt(t *testing.T) {
	if m := Compare(babble(1, 20), babble(2, 8)); m.Median > 0.5 || m.Windows < 10 {
		t.Errorf("%+v", m)
	}
}

func TestSilenceIsNoMatch(t *testing.T) {
	silent := Clip{Rate: rate, Samples: make([]float64, 5*rate)}
	if m := Compare(babble(1, 5), silent); m.Windows != 0 || m.Median != 0 {
		t.Errorf("%+v", m)
	}
}

func TestHolesLowerTheMatch(t *testing.T) {
	said := babble(1, 20)
	heard := Clip{Rate: rate, Samples: append([]float64(nil), said.Samples[:8*rate]...)}
	for i := range heard.Samples {
		if i/160%3 == 0 {
			heard.Samples[i] = 0 // a third of the frames is lost
		}
	}
	if m := Compare(said, heard); m.Median > 0.9 {
		t.Errorf("%+v", m)
	}
}

func TestRateDoesNotMatter(t *testing.T) {
	said := babble(3, 10)
	if m := Compare(said, said.At(48000)); m.Median < 0.99 {
		t.Errorf("%+v", m)
	}
}

func TestFileHoldsWhatWasWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.wav")
	said := babble(4, 1)
	if err := Write(file, said); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil || len(got.Samples) != len(said.Samples) || got.Rate != rate {
		t.Fatalf("%d samples, %v", len(got.Samples), err)
	}
	for i := range got.Samples {
		if math.Abs(got.Samples[i]-said.Samples[i]) > 1 {
			t.Fatalf("sample %d changed", i)
		}
	}
	if n := said.Repeat(3).Seconds(); n < 3 || n > 4 {
		t.Errorf("repeated to %v s", n)
	}
}

func FuzzRead(f *testing.F) {
	file := filepath.Join(f.TempDir(), "seed.wav")
	if err := Write(file, Clip{Rate: 8000, Samples: []float64{1, 2, 3}}); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(t.TempDir(), "a.wav")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Read(file); err == nil && (c.Rate < 1 || len(c.Samples) > len(b)) {
			t.Errorf("%d samples of %d bytes at %d", len(c.Samples), len(b), c.Rate)
		}
	})
}
