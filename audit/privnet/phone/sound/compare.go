// How much of what was heard is what was said.

package sound

import (
	"math"
	"math/cmplx"
	"slices"
)

// rate is where clips are compared: what a telephone carries.
const rate = 8000

// Match says how well what was heard fits what was said. Windows of one second of what was
// heard are looked for everywhere in what was said; the value of each is its best normalised
// cross-correlation: 1 the same but for loudness, below 0.3 something else.
type Match struct {
	Windows int     // with speech in them
	Median  float64 // of the windows' values
	Best    float64
	Low     float64 // a tenth of the windows are below
	Heard   float64 // seconds of what was heard, speech or not
}

// Compare compares two clips.
func Compare(said, heard Clip) Match {
	s, h := said.At(rate), heard.At(rate)
	m := Match{Heard: h.Seconds()}
	spectrum := newSpectrum(s.Samples)
	loud := RMS(h.Samples)
	var values []float64
	for at := 0; at+rate <= len(h.Samples); at += rate / 2 {
		window := h.Samples[at : at+rate]
		if r := RMS(window); r < 100 || r < loud/2 {
			continue // a pause
		}
		values = append(values, spectrum.peak(window))
	}
	if m.Windows = len(values); m.Windows == 0 {
		return m
	}
	slices.Sort(values)
	m.Median, m.Best, m.Low = values[len(values)/2], values[len(values)-1], values[len(values)/10]
	return m
}

// spectrum is a clip prepared for being searched.
type spectrum struct {
	n      int // samples of the clip
	size   int // of the transform
	f      []complex128
	energy []float64 // running sum of squares
}

func newSpectrum(samples []float64) *spectrum {
	s := &spectrum{n: len(samples), size: 1}
	for s.size < len(samples)+rate {
		s.size *= 2
	}
	s.f = make([]complex128, s.size)
	s.energy = make([]float64, len(samples)+1)
	for i, v := range samples {
		s.f[i] = complex(v, 0)
		s.energy[i+1] = s.energy[i] + v*v
	}
	transform(s.f, false)
	return s
}

// peak is the best normalised cross-correlation of a window with any place of the clip.
func (s *spectrum) peak(window []float64) float64 {
	f := make([]complex128, s.size)
	own := 0.0
	for i, v := range window {
		f[i] = complex(v, 0)
		own += v * v
	}
	transform(f, false)
	for i := range f {
		f[i] = s.f[i] * cmplx.Conj(f[i])
	}
	transform(f, true)
	best := 0.0
	for at := 0; at+len(window) <= s.n; at++ {
		there := s.energy[at+len(window)] - s.energy[at]
		if there > own/1e4 && own > 0 {
			best = max(best, real(f[at])/math.Sqrt(there*own))
		}
	}
	return best
}

// transform is the fast Fourier transform in place; the length is a power of two.
func transform(a []complex128, inverse bool) {
	n := len(a)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for length := 2; length <= n; length *= 2 {
		angle := 2 * math.Pi / float64(length)
		if !inverse {
			angle = -angle
		}
		turns := make([]complex128, length/2)
		for k := range turns {
			turns[k] = cmplx.Rect(1, angle*float64(k))
		}
		for i := 0; i < n; i += length {
			for k, w := range turns {
				u, v := a[i+k], a[i+k+length/2]*w
				a[i+k], a[i+k+length/2] = u+v, u-v
			}
		}
	}
	if inverse {
		for i := range a {
			a[i] /= complex(float64(n), 0)
		}
	}
}
