package network

import (
	"strings"
	"testing"
)

func TestProposalsAreReadFromBothLogs(t *testing.T) {
	hash := "0x" + strings.Repeat("ab", 32)
	logs := map[string]voice{
		"op-node is served on 127.0.0.1:1\n" +
			"block 7: builder " + hash + ", gas 90000, ours 46000\n" +
			"block 8: local " + hash + ", too_late: the builder did not answer within 300 ms\n" +
			"block 9: local " + hash + ", payload.timestamp: it is wrong\n": proposerVoice,
		"INFO engine: the builder's block is proposed number=7 hash=" + hash + " gas=90000 value=1\n" +
			`WARN engine: our own block is proposed, the builder's is not to be had number=8 reason="too_late" cause=x` + "\n" +
			`DEBUG engine: our own block is proposed number=9 reason="less_gas" cause=x` + "\n": engineVoice,
	}
	for log, voice := range logs {
		found, err := voice.proposals(log)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 3 || !found[7].ByBuilder() || found[7].Hash != hash {
			t.Errorf("%s\nread as %+v", log, found)
		}
		if found[8].ByBuilder() || found[8].Reason != "too_late" || found[9].Reason == "" {
			t.Errorf("%s\nread as %+v", log, found)
		}
	}
}
