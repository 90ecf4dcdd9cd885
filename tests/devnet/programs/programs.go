// Package programs builds the foreign programs that a devnet runs, at the
// versions that go.mod pins.
package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// FolderEnv names the environment variable for the folder of built programs.
// Without it they go to target/devnet-bin of the repository.
const FolderEnv = "DEVNET_BIN"

// Programs are paths of executables.
type Programs struct {
	OpNode    string
	OpBatcher string
	// Geth is op-geth's geth; it serves as L1 and as L2 execution client.
	Geth string
}

// Build builds the programs of this module, or finds them up to date. Cold it
// takes some CPU-minutes.
func Build(ctx context.Context) (Programs, error) {
	module, err := moduleFolder()
	if err != nil {
		return Programs{}, err
	}
	folder := cacheFolder(module)
	built := Programs{
		OpNode:    filepath.Join(folder, "op-node"),
		OpBatcher: filepath.Join(folder, "op-batcher"),
		Geth:      filepath.Join(folder, "geth"),
	}
	for path, pkg := range map[string]string{
		built.OpNode:    "github.com/ethereum-optimism/optimism/op-node/cmd",
		built.OpBatcher: "github.com/ethereum-optimism/optimism/op-batcher/cmd",
		built.Geth:      "github.com/ethereum/go-ethereum/cmd/geth",
	} {
		if err := build(ctx, source{module, pkg}, path); err != nil {
			return Programs{}, err
		}
	}
	return built, nil
}

// BuildCheckKarst builds the Karst judge, which has a module of its own, and
// returns its path.
func BuildCheckKarst(ctx context.Context) (string, error) {
	module, err := moduleFolder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cacheFolder(module), "check-karst")
	from := source{
		module: filepath.Join(module, "..", "judges", "karst"),
		pkg:    "github.com/ethereum-optimism/optimism/op-chain-ops/cmd/check-karst",
	}
	return path, build(ctx, from, path)
}

// source is a package to build and the folder of the module that pins its version.
type source struct{ module, pkg string }

// cacheFolder is where executables go; module is the folder of this module.
func cacheFolder(module string) string {
	if folder := os.Getenv(FolderEnv); folder != "" {
		return folder
	}
	return filepath.Join(module, "..", "..", "target", "devnet-bin")
}

func build(ctx context.Context, from source, path string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", path, from.pkg)
	command.Dir = from.module
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", from.pkg, err, output)
	}
	return nil
}

// moduleFolder is the folder of this module's go.mod.
func moduleFolder() (string, error) {
	output, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(output))
	if filepath.Base(file) != "go.mod" {
		return "", fmt.Errorf("no go.mod here: run this inside tests/devnet")
	}
	return filepath.Dir(file), nil
}
