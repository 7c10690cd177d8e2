package config

import (
	"reflect"
	"slices"
	"strings"
)

// A field is one that may stand in a mapping.
type field struct {
	name  string
	index []int
	tag   reflect.StructTag
}

// fieldsOf lists the fields of a struct in the order of its declaration,
// those of inlined structs among them.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			for _, in := range fieldsOf(f.Type) {
				in.index = append(slices.Clone(f.Index), in.index...)
				all = append(all, in)
			}
		case name != "" && name != "-":
			all = append(all, field{name: name, index: f.Index, tag: f.Tag})
		}
	}
	return all
}

func names(fields []field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// homes tells for every field name of the file in which mappings it belongs,
// for the hint about a field at the wrong place.
func homes() map[string][]string {
	all := map[string][]string{}
	for _, place := range []struct {
		name string
		of   any
	}{
		{"the top of the file", rawConfig{}}, {"cloud", Cloud{}}, {"log", Log{}}, {"metrics", Metrics{}}, {"ui", UI{}}, {"defaults", Pace{}},
		{"limits", Limits{}}, {"kerberos", Kerberos{}}, {"entra", Entra{}}, {"source", rawSource{}}, {"a table", rawTable{}},
	} {
		for _, f := range fieldsOf(reflect.TypeOf(place.of)) {
			all[f.name] = append(all[f.name], place.name)
		}
	}
	return all
}
