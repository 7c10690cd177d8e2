package installer

import _ "embed"

// unit is the template of the systemd unit. It is rendered by
// kardianos/service, whose own waits two minutes before a restart and has the
// service see and do everything.
//
//go:embed tidemark.service.tmpl
var unit string
