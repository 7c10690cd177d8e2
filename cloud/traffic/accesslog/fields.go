package accesslog

// A Kind is the kind of load balancer that wrote a line.
type Kind uint8

// The kinds.
const (
	Classic Kind = iota
	Application
	Network
)

func (k Kind) String() string { return [...]string{"classic", "application", "network"}[k] }

// A form is the type of a field. "-" is none in every form.
type form uint8

const (
	text     form = iota
	integer       // JSON number
	seconds       // JSON number; -1 is none
	stamp         // ISO 8601 in UTC, with or without the Z
	endpoint      // address:port, two members of the JSON object
	request       // method, URL and protocol, three members
	texts         // separated by spaces or commas: an array
	integers      // the same of numbers
)

// A field has its documented name. An endpoint's is the part before ":port".
type field struct {
	name string
	form form
}

// formats are the documented fields in order; least is how many a line has at
// least: those of the format's first version.
var formats = [...]struct {
	least  int
	fields []field
}{
	Classic: {12, []field{
		{"time", stamp}, {"elb", text}, {"client", endpoint}, {"backend", endpoint},
		{"request_processing_time", seconds}, {"backend_processing_time", seconds}, {"response_processing_time", seconds},
		{"elb_status_code", integer}, {"backend_status_code", integer}, {"received_bytes", integer}, {"sent_bytes", integer},
		{"request", request}, {"user_agent", text}, {"ssl_cipher", text}, {"ssl_protocol", text},
	}},
	Application: {18, []field{
		{"type", text}, {"time", stamp}, {"elb", text}, {"client", endpoint}, {"target", endpoint},
		{"request_processing_time", seconds}, {"target_processing_time", seconds}, {"response_processing_time", seconds},
		{"elb_status_code", integer}, {"target_status_code", integer}, {"received_bytes", integer}, {"sent_bytes", integer},
		{"request", request}, {"user_agent", text}, {"ssl_cipher", text}, {"ssl_protocol", text}, {"target_group_arn", text},
		{"trace_id", text}, {"domain_name", text}, {"chosen_cert_arn", text}, {"matched_rule_priority", integer},
		{"request_creation_time", stamp}, {"actions_executed", texts}, {"redirect_url", text}, {"error_reason", text},
		{"target_port_list", texts}, {"target_status_code_list", integers}, {"classification", text},
		{"classification_reason", text}, {"conn_trace_id", text}, {"transformed_host", text}, {"transformed_uri", text},
		{"request_transform_status", text},
	}},
	Network: {18, []field{
		{"type", text}, {"version", text}, {"time", stamp}, {"elb", text}, {"listener", text}, {"client", endpoint},
		{"destination", endpoint}, {"connection_time", integer}, {"tls_handshake_time", integer}, {"received_bytes", integer},
		{"sent_bytes", integer}, {"incoming_tls_alert", text}, {"chosen_cert_arn", text}, {"chosen_cert_serial", text},
		{"tls_cipher", text}, {"tls_protocol_version", text}, {"tls_named_group", text}, {"domain_name", text},
		{"alpn_fe_protocol", text}, {"alpn_be_protocol", text}, {"alpn_client_preference_list", texts},
		{"tls_connection_creation_time", stamp},
	}},
}

// at are the places of the fields that an Entry has typed. -1: the kind has
// no such field.
type at struct{ time, client, took, status, target, received, sent, request, agent, host int }

var places = [...]at{
	Classic:     {time: 0, client: 2, took: 4, status: 7, target: 8, received: 9, sent: 10, request: 11, agent: 12, host: -1},
	Application: {time: 1, client: 3, took: 5, status: 8, target: 9, received: 10, sent: 11, request: 12, agent: 13, host: 18},
	Network:     {time: 2, client: 5, took: -1, status: -1, target: -1, received: 9, sent: 10, request: -1, agent: -1, host: 17},
}

// kindOf tells the kind by the line's first field.
func kindOf(first []byte) (Kind, bool) {
	switch string(first) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		return Application, true
	case "tls":
		return Network, true
	}
	_, ok := parseStamp(first)
	return Classic, ok
}
