package engine

func init() {
	defineView("databases", "name sysname, database_id int, source_database_id int?, owner_sid varbinary85?, create_date datetime, compatibility_level tinyint, collation_name sysname?, "+
		"user_access tinyint?, user_access_desc nvarchar60?, is_read_only bit?, state tinyint?, state_desc nvarchar60?, snapshot_isolation_state tinyint?, snapshot_isolation_state_desc nvarchar60?, "+
		"is_read_committed_snapshot_on bit?, recovery_model tinyint?, recovery_model_desc nvarchar60?, is_encrypted bit?, is_cdc_enabled bit, is_auto_close_on bit, service_broker_guid guid",
		func(x *exec, add func(...any)) error {
			for _, db := range x.s.engine.databases() {
				db.mu.RLock()
				snap, desc := 0, "OFF"
				if db.opts.AllowSnapshot {
					snap, desc = 1, "ON"
				}
				number := map[string]int{"ONLINE": 0, "RESTORING": 1, "RECOVERING": 2, "RECOVERY_PENDING": 3, "SUSPECT": 4, "EMERGENCY": 5, "OFFLINE": 6}
				add(db.name, db.id, nil, []byte{1}, db.created, 150, defaultCollation, 0, "MULTI_USER", false, number[db.state], db.state, snap, desc,
					db.opts.ReadCommittedSnapshot, 1, "FULL", false, false, false, []byte(db.guid))
				db.mu.RUnlock()
			}
			return nil
		})
	defineView("database_recovery_status", "database_id int, database_guid guid?, family_guid guid?, last_log_backup_lsn numeric25?, recovery_fork_guid guid?, first_recovery_fork_guid guid?, fork_point_lsn numeric25?",
		func(x *exec, add func(...any)) error {
			for _, db := range x.s.engine.databases() {
				db.mu.RLock()
				if x.s.login.viewState() {
					add(db.id, []byte(db.guid), []byte(db.guid), nil, []byte(db.fork), nil, nil)
				} else { // documented: the values are NULL without the right
					add(db.id, nil, nil, nil, nil, nil, nil)
				}
				db.mu.RUnlock()
			}
			return nil
		})
	defineView("dm_exec_sessions", "session_id smallint, login_time datetime, host_name sysname?, program_name sysname?, host_process_id int?, login_name sysname, status nvarchar60, "+
		"last_request_start_time datetime, last_request_end_time datetime?, is_user_process bit, transaction_isolation_level smallint, lock_timeout int, deadlock_priority int, "+
		"row_count bigint, original_login_name sysname, database_id smallint, open_transaction_count int",
		func(x *exec, add func(...any)) error {
			for _, s := range x.s.engine.allSessions() {
				if s != x.s && !x.s.login.viewState() {
					continue // one's own session is always visible
				}
				s.mu.Lock()
				status, open := "sleeping", 0
				if s.running {
					status = "running"
				}
				if s.tx != nil {
					open = 1
				}
				add(s.id, s.loginTime, s.host, s.app, nil, s.login.Name, status, s.lastStart, s.lastStart, true, s.shownLevel, -1, 0, 0, s.login.Name, s.db.id, open)
				s.mu.Unlock()
			}
			return nil
		})
	defineView("dm_tran_session_transactions", "session_id int, transaction_id bigint, transaction_descriptor varbinary85, enlist_count int, is_user_transaction bit, is_local bit, is_enlisted bit, is_bound bit, open_transaction_count int",
		func(x *exec, add func(...any)) error {
			return x.eachTxn(func(_ *Database, tx *txn) {
				add(tx.sess.id, int64(tx.id), []byte{0, 0, 0, 0, 0, 0, 0, 1}, 0, tx.explicit, true, false, false, 1)
			})
		})
	defineView("dm_tran_active_transactions", "transaction_id bigint, name sysname, transaction_begin_time datetime, transaction_type int, transaction_uow guid?, transaction_state int, transaction_status int",
		func(x *exec, add func(...any)) error {
			return x.eachTxn(func(_ *Database, tx *txn) {
				name := "user_transaction"
				if !tx.explicit {
					name = "UPDATE"
				}
				add(int64(tx.id), name, tx.began, 1, nil, 2, 0)
			})
		})
	defineView("dm_tran_database_transactions", "transaction_id bigint, database_id int, database_transaction_begin_time datetime?, database_transaction_type int, database_transaction_state int, database_transaction_log_record_count bigint",
		func(x *exec, add func(...any)) error {
			return x.eachTxn(func(db *Database, tx *txn) {
				// The begin time is NULL until the transaction writes its first
				// log record.
				var began any
				state := 3
				if len(tx.writes) > 0 {
					began, state = tx.began, 4
				}
				add(int64(tx.id), db.id, began, 1, state, int64(len(tx.writes)))
			})
		})
}

// eachTxn calls f for every open transaction, if the login may see them.
func (x *exec) eachTxn(f func(*Database, *txn)) error {
	if !x.s.login.viewState() {
		return severity(14, errorf(300, "VIEW SERVER STATE permission was denied on object 'server', database 'master'."))
	}
	for _, db := range x.s.engine.databases() {
		db.mu.RLock()
		for tx := range db.open {
			f(db, tx)
		}
		db.mu.RUnlock()
	}
	return nil
}
