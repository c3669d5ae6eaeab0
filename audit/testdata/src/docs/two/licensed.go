// Copyright 2026 somebody. All rights reserved.

package two // want "does not say what it holds"
