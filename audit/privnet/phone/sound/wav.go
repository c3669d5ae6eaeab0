// Package sound compares what was said into one phone with what came out of the other: WAV
// files, resampling, and normalised cross-correlation. It plays and records nothing.
package sound

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
)

// ErrWAV is returned for a file that is no WAV of 16-bit PCM.
var ErrWAV = errors.New("not a WAV of 16-bit samples")

// Clip is sound of one channel.
type Clip struct {
	Rate    int // samples per second
	Samples []float64
}

// Seconds is the length of the clip.
func (c Clip) Seconds() float64 { return float64(len(c.Samples)) / float64(c.Rate) }

// Read reads a WAV of 16-bit PCM. Of several channels the first is taken. A file whose writer
// did not finish its head is read to its end.
func Read(file string) (Clip, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Clip{}, err
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return Clip{}, ErrWAV
	}
	channels, rate := 0, 0
	for b = b[12:]; len(b) >= 8; {
		size := int(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:]
		if name := string(b[:4]); name == "data" {
			if size <= 0 || size > len(body) {
				size = len(body)
			}
			return pcm(body[:size], channels, rate)
		} else if name == "fmt " && len(body) >= 16 {
			channels = int(binary.LittleEndian.Uint16(body[2:]))
			rate = int(binary.LittleEndian.Uint32(body[4:]))
			if binary.LittleEndian.Uint16(body[14:]) != 16 {
				return Clip{}, ErrWAV
			}
		}
		if size < 0 || size+size%2 > len(body) {
			break
		}
		b = body[size+size%2:]
	}
	return Clip{}, ErrWAV
}

// pcm turns the bytes of the data chunk into samples.
func pcm(data []byte, channels, rate int) (Clip, error) {
	if channels < 1 || rate < 1 {
		return Clip{}, ErrWAV
	}
	c := Clip{Rate: rate}
	for ; len(data) >= 2*channels; data = data[2*channels:] {
		c.Samples = append(c.Samples, float64(int16(binary.LittleEndian.Uint16(data))))
	}
	return c, nil
}

// Write writes a WAV of 16-bit PCM with one channel.
func Write(file string, c Clip) error {
	n := uint32(2 * len(c.Samples))
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+n)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*c.Rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, n)
	for _, s := range c.Samples {
		v := int16(math.Round(max(-32768, min(32767, s))))
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return os.WriteFile(file, b, 0o600)
}

// At returns the clip at another rate. Going down, a windowed sinc keeps out what the lower
// rate cannot carry.
func (c Clip) At(rate int) Clip {
	if rate == c.Rate || len(c.Samples) == 0 {
		return c
	}
	step := float64(c.Rate) / float64(rate)
	cut := min(1, 1/step) // of the source's band
	half := int(math.Ceil(16 / cut))
	out := Clip{Rate: rate, Samples: make([]float64, int(float64(len(c.Samples))/step))}
	for i := range out.Samples {
		at := float64(i) * step
		sum := 0.0
		for k := int(at) - half; k <= int(at)+half; k++ {
			if k < 0 || k >= len(c.Samples) {
				continue
			}
			x := at - float64(k)
			window := 0.5 + 0.5*math.Cos(math.Pi*x/float64(half+1))
			sum += c.Samples[k] * sinc(x*cut) * cut * window
		}
		out.Samples[i] = sum
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// Repeat returns the clip again and again until it lasts at least the given seconds.
func (c Clip) Repeat(seconds float64) Clip {
	out := Clip{Rate: c.Rate}
	for len(c.Samples) > 0 && out.Seconds() < seconds {
		out.Samples = append(out.Samples, c.Samples...)
	}
	return out
}

// RMS is the root mean square of samples: how loud they are.
func RMS(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sum := 0.0
	for _, s := range samples {
		sum += s * s
	}
	return math.Sqrt(sum / float64(len(samples)))
}
