package network

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"blockwright.test/devnet/process"
)

// Builder is an engine that publishes flashblocks.
type Builder interface {
	Engine
	// Flashblocks is the URL of the stream; it outlives a restart.
	Flashblocks() string
}

// SidecarConfig says what sidecar to run.
type SidecarConfig struct {
	// Program is the executable of rollup-boost.
	Program string
	// BuilderProgram is the executable of Blockwright.
	BuilderProgram string
}

// Sidecar is rollup-boost: op-node's calls go to the devnet's engine, which it
// falls back on, and to a builder, whose flashblocks it checks and passes on.
type Sidecar struct {
	Builder Builder

	files   layout
	ports   []string // RPC, flashblocks, metrics, debugging
	process *process.Process
}

// reconnectMaxMS keeps rollup-boost from being blind for long once a builder
// is back; its own default is 5 s.
const reconnectMaxMS = "250"

// builderArgs are what docs/interop.md advises. op-node asks for the block 50 ms
// before its timestamp, and rollup-boost answers by what it has seen.
var builderArgs = []string{
	"--builder.payload-id-version", "3",
	"--flashblocks.end-margin", "100ms", "--flashblocks.publish-by", "70ms",
}

func startSidecar(ctx context.Context, config SidecarConfig, files layout, fallback Engine) (*Sidecar, error) {
	builder, err := newBlockwright(config.BuilderProgram, files, "builder")
	if err != nil {
		return nil, err
	}
	builder.extra = builderArgs
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s := &Sidecar{Builder: builder, files: files, ports: ports}
	if err := builder.Start(ctx); err != nil {
		return s, err
	}
	s.process, err = process.Start(process.Spec{
		Name: "rollup-boost", Program: config.Program, LogFile: s.LogFile(),
		Args: []string{
			"--rpc-host=" + loopback, "--rpc-port=" + ports[0],
			"--l2-url=" + fallback.Auth(), "--l2-jwt-path=" + files.jwt(),
			"--builder-url=" + builder.Auth(), "--builder-jwt-path=" + files.jwt(),
			"--flashblocks", "--flashblocks-builder-url=" + builder.Flashblocks(),
			"--flashblocks-host=" + loopback, "--flashblocks-port=" + ports[1],
			"--flashblock-builder-ws-max-reconnect-ms=" + reconnectMaxMS,
			"--metrics", "--metrics-host=" + loopback, "--metrics-port=" + ports[2],
			"--debug-host=" + loopback, "--debug-server-port=" + ports[3],
			"--log-format=json", "--health-check-interval=2",
		},
	})
	if err != nil {
		return s, err
	}
	return s, Await(ctx, "rollup-boost", serving(s.URL()), s.process)
}

// URL is where op-node and users find rollup-boost.
func (s *Sidecar) URL() string { return httpURL(s.ports[0]) }

// Flashblocks is the URL of the stream that rollup-boost publishes.
func (s *Sidecar) Flashblocks() string { return "ws://" + net.JoinHostPort(loopback, s.ports[1]) }

// LogFile holds what rollup-boost logs, as JSON lines.
func (s *Sidecar) LogFile() string { return s.files.log("rollup-boost.log") }

// Counter is the sum of the samples of rollup-boost's counter whose name and
// labels contain all of parts, and 0 where there is none yet.
func (s *Sidecar) Counter(ctx context.Context, parts ...string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, httpURL(s.ports[2])+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("metrics of rollup-boost: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("metrics of rollup-boost: %w", err)
	}
	return sumSamples(string(text), parts)
}

func sumSamples(text string, parts []string) (sum float64, err error) {
lines:
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(line[:at], part) {
				continue lines
			}
		}
		var value float64
		if _, err := fmt.Sscan(line[at+1:], &value); err != nil {
			return 0, fmt.Errorf("metrics of rollup-boost: %q: %w", line, err)
		}
		sum += value
	}
	return sum, nil
}
