package main

import (
	"reflect"

	"tidemark/agent/config"
)

var secretType = reflect.TypeFor[config.Secret]()

// secretsOf reads every secret of a configuration, wherever in it, so that they
// can be searched for; unread are those that this user cannot read.
func secretsOf(c *config.Config) (secrets []string, unread []error) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch {
		case v.Type() == secretType:
			value, err := v.Interface().(config.Secret).Value()
			if err != nil {
				unread = append(unread, err)
			} else if value != "" && value != "system" && value != "none" {
				secrets = append(secrets, value)
			}
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(*c))
	return secrets, unread
}

// namesOf lists what people named in a configuration, which errors may quote.
func namesOf(c *config.Config) []string {
	names := []string{c.Customer, c.Path, c.StateDir, c.Log.File}
	for _, s := range c.Sources {
		names = append(names, s.Name, s.Server, s.Instance, s.Database, s.User)
		for _, t := range s.Tables {
			names = append(names, t.Dataset, t.Name.Schema, t.Name.Name, t.Name.Schema+"."+t.Name.Name)
			names = append(append(names, t.ExcludeColumns...), t.HashColumns...)
		}
		for _, g := range s.Patterns {
			names = append(append(names, g.Table.ExcludeColumns...), g.Table.HashColumns...)
		}
	}
	return names
}
