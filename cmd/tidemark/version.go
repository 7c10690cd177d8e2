package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"tidemark/internal/buildinfo"
	"tidemark/internal/wire"
)

// version is set by the linker for releases.
var version = ""

// build is the version that the program tells.
func build() string { return buildinfo.Version(version) }

func newVersion(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  tidemark version",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(*cobra.Command, []string) error {
		if *asJSON {
			return a.printJSON(map[string]any{"version": build(), "protocol": wire.Protocol, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
		}
		_, err := fmt.Fprintf(a.out, "tidemark %s, protocol %d, %s %s/%s\n", build(), wire.Protocol, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	return c
}
