package engine

import (
	"strings"

	"tidemark/internal/mssqltest/tds"
)

func init() {
	defineView("schemas", "name sysname, schema_id int, principal_id int?", func(x *exec, add func(...any)) error {
		for _, s := range x.db.allSchemas() {
			add(s.name, s.id, 1)
		}
		return nil
	})
	defineView("tables", "name sysname, object_id int, principal_id int?, schema_id int, parent_object_id int, type char2, type_desc nvarchar60?, "+
		"create_date datetime, modify_date datetime, is_ms_shipped bit, is_memory_optimized bit?, temporal_type tinyint?, is_external bit, is_filetable bit?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				add(t.name, t.id, nil, t.schema.id, 0, "U", "USER_TABLE", t.created, t.created, false, false, 0, false, false)
			})
		})
	defineView("objects", "name sysname, object_id int, principal_id int?, schema_id int, parent_object_id int, type char2, type_desc nvarchar60?, "+
		"create_date datetime, modify_date datetime, is_ms_shipped bit, is_published bit, is_schema_published bit",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				add(t.name, t.id, nil, t.schema.id, 0, "U", "USER_TABLE", t.created, t.created, false, false, false)
				for _, ix := range t.indexes {
					if ix.constr {
						typ, desc := constraintType(ix)
						add(ix.name, ix.constrID, nil, t.schema.id, t.id, typ, desc, t.created, t.created, false, false, false)
					}
				}
			})
		})
	defineView("columns", "object_id int, name sysname?, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, precision tinyint, "+
		"scale tinyint, collation_name sysname?, is_nullable bit?, is_ansi_padded bit, is_rowguidcol bit, is_identity bit, is_computed bit, is_filestream bit, "+
		"is_xml_document bit, xml_collection_id int, default_object_id int, is_sparse bit?, is_column_set bit?, generated_always_type tinyint?, is_hidden bit, is_masked bit, encryption_type int?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, c := range t.cols {
					prec, scale := shownPrecision(c.typ)
					user := c.info.userID
					if c.alias != nil {
						user = c.alias.id
					}
					add(t.id, c.name, c.id, c.info.systemID, user, storedLen(c.typ), prec, scale, orNil(c.collName), c.nullable,
						true, false, c.identity, false, false, false, 0, 0, false, false, 0, false, false, nil)
				}
			})
		})
	defineView("types", "name sysname, system_type_id tinyint, user_type_id int, schema_id int, principal_id int?, max_length smallint, precision tinyint, "+
		"scale tinyint, collation_name sysname?, is_nullable bit?, is_user_defined bit, is_assembly_type bit, default_object_id int, rule_object_id int, is_table_type bit",
		func(x *exec, add func(...any)) error {
			for _, t := range systemTypes {
				coll := ""
				if classOf(t.kind) == clStr && t.kind != tds.XML {
					coll = defaultCollation
				}
				add(t.name, t.systemID, t.userID, 4, nil, t.maxLen, t.prec, t.scale, orNil(coll), t.name != "timestamp" && t.name != "sysname",
					false, t.kind == tds.UDT, 0, 0, false)
			}
			x.db.mu.RLock()
			defer x.db.mu.RUnlock()
			for _, a := range x.db.types {
				prec, scale := shownPrecision(a.typ)
				add(a.name, a.info.systemID, a.id, a.schema.id, nil, storedLen(a.typ), prec, scale, nil, a.nullable, true, false, 0, 0, false)
			}
			return nil
		})
	defineView("identity_columns", "object_id int, name sysname?, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, precision tinyint, scale tinyint, "+
		"is_nullable bit?, is_identity bit, seed_value variant?, increment_value variant?, last_value variant?, is_not_for_replication bit?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				if t.ident < 0 {
					return
				}
				c := t.cols[t.ident]
				number := func(n int64) any { return tds.VariantValue{Type: typBigInt, Value: n} }
				var last any
				if t.identUsed {
					last = number(t.lastIdent)
				}
				prec, scale := shownPrecision(c.typ)
				add(t.id, c.name, c.id, c.info.systemID, c.info.userID, storedLen(c.typ), prec, scale, c.nullable, true, number(t.seed), number(t.inc), last, false)
			})
		})
	defineView("computed_columns", "object_id int, name sysname?, column_id int, system_type_id tinyint, user_type_id int, definition nvarcharmax?, uses_database_collation bit, is_persisted bit, is_computed bit",
		func(*exec, func(...any)) error { return nil })
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// shownPrecision is what sys.columns says of a type that has a precision.
func shownPrecision(t tds.Type) (prec, scale int) {
	switch classOf(t.Kind) {
	case clInt, clDec:
		return precOf(t), scaleOf(t)
	case clFloat:
		return int(infoOf(t).prec), 0
	case clTime:
		base := map[tds.Kind]int{tds.Time: 8, tds.DateTime2: 19, tds.DateTimeOffset: 26}[t.Kind]
		if base == 0 {
			return int(infoOf(t).prec), int(fraction(t))
		}
		if t.Scale > 0 {
			base += 1 + int(t.Scale)
		}
		return base, int(t.Scale)
	}
	return 0, 0
}

func constraintType(ix *index) (typ, desc string) {
	if ix.primary {
		return "PK", "PRIMARY_KEY_CONSTRAINT"
	}
	return "UQ", "UNIQUE_CONSTRAINT"
}

func init() {
	defineView("indexes", "object_id int, name sysname?, index_id int, type tinyint, type_desc nvarchar60?, is_unique bit?, data_space_id int?, ignore_dup_key bit?, "+
		"is_primary_key bit?, is_unique_constraint bit?, fill_factor tinyint, is_padded bit?, is_disabled bit?, is_hypothetical bit?, is_ignored_in_optimization bit?, "+
		"allow_row_locks bit?, allow_page_locks bit?, has_filter bit?, filter_definition nvarcharmax?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					typ, desc := 2, "NONCLUSTERED"
					switch ix.id {
					case 0:
						typ, desc = 0, "HEAP"
					case 1:
						typ, desc = 1, "CLUSTERED"
					}
					var filter any
					if ix.filtered {
						filter = "(filtered)"
					}
					add(t.id, orNil(ix.name), ix.id, typ, desc, ix.unique, 1, false, ix.primary, ix.constr && !ix.primary, 0, false, false, false, false,
						true, true, ix.filtered, filter)
				}
			})
		})
	defineView("index_columns", "object_id int, index_id int, index_column_id int, column_id int, key_ordinal tinyint, partition_ordinal tinyint, is_descending_key bit?, is_included_column bit?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					for i, c := range ix.cols {
						add(t.id, ix.id, i+1, t.cols[c.ord].id, i+1, 0, c.desc, false)
					}
					for i, ord := range ix.include {
						add(t.id, ix.id, len(ix.cols)+i+1, t.cols[ord].id, 0, 0, false, true)
					}
				}
			})
		})
	defineView("key_constraints", "name sysname, object_id int, principal_id int?, schema_id int, parent_object_id int, type char2, type_desc nvarchar60?, "+
		"create_date datetime, modify_date datetime, is_ms_shipped bit, unique_index_id int?, is_system_named bit, is_enforced bit?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					if ix.constr {
						typ, desc := constraintType(ix)
						add(ix.name, ix.constrID, nil, t.schema.id, t.id, typ, desc, t.created, t.created, false, ix.id, strings.Contains(ix.name, "__"), true)
					}
				}
			})
		})
	defineView("partitions", "partition_id bigint, object_id int, index_id int, partition_number int, hobt_id bigint, rows bigint?, filestream_filegroup_id smallint, data_compression tinyint, data_compression_desc nvarchar60?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					id := int64(t.id)<<16 | int64(ix.id)
					var rows any = t.live
					if t.db.opts.NoRowCounts {
						rows = 0
					}
					add(id, t.id, ix.id, 1, id, rows, 0, 0, "NONE")
				}
			})
		})
	defineView("allocation_units", "allocation_unit_id bigint, type tinyint, type_desc nvarchar60?, container_id bigint, data_space_id int?, total_pages bigint, used_pages bigint, data_pages bigint",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					id := int64(t.id)<<16 | int64(ix.id)
					pages := t.live/100 + 1
					add(id<<1, 1, "IN_ROW_DATA", id, 1, pages, pages, pages)
				}
			})
		})
	defineView("dm_db_partition_stats", "partition_id bigint, object_id int, index_id int, partition_number int, in_row_data_page_count bigint, in_row_used_page_count bigint, "+
		"in_row_reserved_page_count bigint, used_page_count bigint, reserved_page_count bigint, row_count bigint",
		func(x *exec, add func(...any)) error {
			if !x.s.login.viewState() {
				return severity(14, errorf(262, "VIEW DATABASE STATE permission denied in database '%s'.", x.db.name))
			}
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					rows := t.live
					if t.db.opts.NoRowCounts {
						rows = 0
					}
					pages := rows/100 + 1
					add(int64(t.id)<<16|int64(ix.id), t.id, ix.id, 1, pages, pages, pages, pages, pages, rows)
				}
			})
		})
}
