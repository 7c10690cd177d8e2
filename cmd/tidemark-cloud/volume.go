package main

import (
	"github.com/spf13/pflag"

	"tidemark/cloud/cost"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// volumeFlag says what the database's volume allows.
type volumeFlag struct{ text string }

func (v *volumeFlag) add(f *pflag.FlagSet) {
	f.StringVar(&v.text, "io-volume", "", "the database's volume: gp2:GIB, or BASELINE/BURST/CREDITS (operations)")
}

// volume is the zero one where none is named.
func (v *volumeFlag) volume() (cost.Volume, error) {
	if v.text == "" {
		return cost.Volume{}, nil
	}
	volume, err := cost.ParseVolume(v.text)
	if err != nil {
		return volume, &command.ConfigError{Err: fault.New("read --io-volume", err, "for example gp2:500 for a gp2 volume of 500 GiB, or 1500/3000/5400000")}
	}
	return volume, nil
}
