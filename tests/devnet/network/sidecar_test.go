package network

import (
	"os"
	"testing"
)

func TestSamplesAreSummedByNameAndLabel(t *testing.T) {
	const text = `# HELP rollup_boost_rpc_blocks_created_total blocks
rollup_boost_rpc_blocks_created_total{source="builder"} 7
rollup_boost_rpc_blocks_created_total{source="l2"} 2
rollup_boost_flashblocks_service_extend_payload_errors 0
`
	for want, parts := range map[float64][]string{
		9: {"rpc_blocks_created"},
		7: {"rpc_blocks_created", `source="builder"`},
		0: {"extend_payload_errors"},
	} {
		got, err := sumSamples(text, parts)
		if err != nil || got != want {
			t.Errorf("%v: %v, %v; want %v", parts, got, err, want)
		}
	}
	if _, err := sumSamples("name not-a-number\n", []string{"name"}); err == nil {
		t.Error("garbage has a value")
	}
}

func TestLogOfTheSidecarIsRead(t *testing.T) {
	files, err := newLayout(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const text = `# rollup-boost --flashblocks
{"level":"INFO","fields":{"message":"returning block","number":"7","hash":"0xaa","payload_id":"0x03","context":"builder"}}
{"level":"INFO","fields":{"message":"returning block","number":"8","hash":"0xbb","payload_id":"0x04","context":"l2"}}
{"level":"ERROR","fields":{"message":"Failed to extend payload","error":"Invalid index"}}
{"level":"ERROR","fields":{"message":"connection error, retrying in 10ms: refused"}}
{"level":"ERR`
	s := &Sidecar{files: files}
	if err := os.WriteFile(s.LogFile(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed, complaints, err := s.ReadLog()
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != 2 || !sealed[0].ByBuilder || sealed[1].ByBuilder || sealed[1].Number != 8 {
		t.Errorf("sealed: %+v", sealed)
	}
	want := []Complaint{{"Failed to extend payload", "Invalid index"}, {"connection error", ""}}
	if len(complaints) != 2 || complaints[0] != want[0] || complaints[1] != want[1] {
		t.Errorf("complaints: %+v", complaints)
	}
}
