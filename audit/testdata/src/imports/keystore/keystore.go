// Package keystore hides its import behind another system.
package keystore
