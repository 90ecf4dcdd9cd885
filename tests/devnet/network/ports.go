package network

import (
	"fmt"
	"net"
	"strconv"
)

const loopback = "127.0.0.1"

// freePorts returns ports of the loopback interface that nobody listens on.
// They are picked by the kernel at one time, so they differ.
func freePorts(count int) ([]string, error) {
	ports := make([]string, 0, count)
	for range count {
		listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return nil, fmt.Errorf("free port: %w", err)
		}
		defer listener.Close()
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

func httpURL(port string) string { return "http://" + net.JoinHostPort(loopback, port) }
