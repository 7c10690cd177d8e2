//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// A namespace is the network of the site: its own, behind a link to this
// machine. The zero value is none: everything is on the loopback then.
type namespace struct {
	name string // of the namespace
	here string // this machine's end of the link
	host string // its address
	slow string // how it is slowed; "" where the kernel has no way
	lack string // what of slowing the kernel has not
}

// openNamespace makes one; an error tells why there is none.
func openNamespace(ctx context.Context) (*namespace, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("needs root")
	}
	pid := os.Getpid()
	n := &namespace{name: fmt.Sprintf("tidemark-soak-%d", pid), here: fmt.Sprintf("tms%d", pid%1_000_000), host: fmt.Sprintf("10.%d.%d.1", 200+pid%50, pid/50%250)}
	there := n.here + "b"
	site := n.host[:len(n.host)-1] + "2"
	for _, args := range [][]string{
		{"netns", "add", n.name},
		{"link", "add", n.here, "type", "veth", "peer", "name", there, "netns", n.name},
		{"address", "add", n.host + "/30", "dev", n.here},
		{"link", "set", n.here, "up"},
		{"-n", n.name, "address", "add", site + "/30", "dev", there},
		{"-n", n.name, "link", "set", there, "up"},
		{"-n", n.name, "link", "set", "lo", "up"},
	} {
		if err := runTool(ctx, "ip", args...); err != nil {
			return nil, errors.Join(err, n.close(ctx))
		}
	}
	if err := n.slowed(ctx, "netem", "delay", "1ms"); err == nil {
		n.slow = "netem"
	} else if err := n.slowed(ctx, "tbf", "rate", "10mbit", "burst", "16kb", "latency", "400ms"); err == nil {
		n.slow, n.lack = "tbf", "this kernel has no netem: packets were not delayed or lost on the link, but by the proxy and its rate"
	} else {
		n.lack = "this kernel has neither netem nor tbf: " + err.Error()
	}
	return n, n.normal(ctx)
}

// wrap is what runs a program in the namespace.
func (n *namespace) wrap() []string {
	if n == nil {
		return nil
	}
	return []string{"ip", "netns", "exec", n.name}
}

// address is where the site finds this machine.
func (n *namespace) address() string {
	if n == nil {
		return "127.0.0.1"
	}
	return n.host
}

// cut takes the link away; packets are dropped, and nobody is told.
func (n *namespace) cut(ctx context.Context) error {
	return runTool(ctx, "ip", "link", "set", n.here, "down")
}

func (n *namespace) heal(ctx context.Context) error {
	return runTool(ctx, "ip", "link", "set", n.here, "up")
}

// crawl slows the link down.
func (n *namespace) crawl(ctx context.Context) error {
	if n.slow == "netem" {
		return n.slowed(ctx, "netem", "delay", "200ms", "100ms", "loss", "3%", "rate", "512kbit")
	}
	return n.slowed(ctx, "tbf", "rate", "256kbit", "burst", "16kb", "latency", "400ms")
}

func (n *namespace) slowed(ctx context.Context, args ...string) error {
	return errors.Join(
		runTool(ctx, "tc", append([]string{"qdisc", "replace", "dev", n.here, "root"}, args...)...),
		runTool(ctx, "tc", append([]string{"-n", n.name, "qdisc", "replace", "dev", n.here + "b", "root"}, args...)...))
}

// normal takes the slowness away.
func (n *namespace) normal(ctx context.Context) error {
	if n.slow == "" {
		return nil
	}
	return errors.Join(
		runTool(ctx, "tc", "qdisc", "del", "dev", n.here, "root"),
		runTool(ctx, "tc", "-n", n.name, "qdisc", "del", "dev", n.here+"b", "root"))
}

// close removes the namespace, and the link with it.
func (n *namespace) close(ctx context.Context) error {
	if n == nil {
		return nil
	}
	return runTool(context.WithoutCancel(ctx), "ip", "netns", "del", n.name)
}

func runTool(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
