package network

import (
	"os"
	"path/filepath"
)

// layout is where the parts of one devnet keep their files.
type layout struct{ root string }

func newLayout(root string) (layout, error) {
	l := layout{root}
	for _, folder := range []string{l.config(""), l.data(""), l.log("")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (l layout) config(file string) string { return filepath.Join(l.root, "config", file) }
func (l layout) data(name string) string   { return filepath.Join(l.root, "data", name) }
func (l layout) log(name string) string    { return filepath.Join(l.root, "log", name) }
func (l layout) jwt() string               { return l.config("jwt.txt") }
