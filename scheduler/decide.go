package scheduler

// Decide says what to do with a table: see the package's table. It is pure,
// and the same inputs always give the same words.
func Decide(in Input) Decision {
	if in.Disabled != "" {
		return decision(Skip, 1, "disabled: %s", in.Disabled)
	}
	if in.mayBeSkipped() && in.State.FirstSync && in.State.SinceSync < in.Limits.ForcedSkips {
		return decision(Skip, 2, "forced, %s of %s", num(in.State.SinceSync+1), num(in.Limits.ForcedSkips))
	}
	if in.Local == nil {
		return decision(AskSource, 3, "has the table changed?")
	}
	capped := false // rule 3 would match but for its cap
	if in.mayBeSkipped() && *in.Local == in.State.Synced && !(in.Content && in.checkIsDue()) {
		if in.State.Skips < in.Limits.MaxSkips {
			return decision(Skip, 3, "unchanged, %s of %s", num(in.State.Skips+1), num(in.Limits.MaxSkips))
		}
		capped = true
	}
	if in.Cloud == nil || in.Cloud.doubted() && capped {
		return decision(AskCloud, 4, "%s", in.whyAsk(capped))
	}
	d := in.compare()
	switch {
	case !in.Cloud.Remembered:
	case d.Action == Diff && d.Rule == 10: // asks the cloud all the same, which knows better if it is not as remembered
	case d.Action == Diff, d.Action == Upload && d.Upload != Delta:
		return decision(AskCloud, 4, "to be sure before this: %s", d.Reason)
	case d.Action == Nothing && in.Asked == SyncNow: // other columns show only where the cloud is asked
		return decision(AskCloud, 4, "%s", in.whyAsk(capped))
	case d.Action == Nothing && in.Cloud.doubted() && in.State.Skips >= in.Limits.MaxSkips:
		return decision(AskCloud, 4, "%s cycles without a word from the cloud: does it agree?", num(in.State.Skips))
	}
	return d
}

// mayBeSkipped reports whether rules 2 and 3 may match.
func (in Input) mayBeSkipped() bool {
	return in.Asked == "" && !in.Uploaded && !in.Diffed && !in.State.Open && !in.State.Owed
}

// waits reports whether a diff may not begin now, unless a person asks for it.
func (in Input) waits() bool { return in.Resting != "" && in.Asked != DiffNow }

func (in Input) checkIsDue() bool {
	return in.Resting == "" && due(in.Now, in.State.Verified, in.Limits.VerifyEvery)
}

// compare is stage 2.
func (in Input) compare() Decision {
	local, cloud := in.Local, in.Cloud
	switch {
	case cloud.Epoch == "" || !cloud.Loaded:
		return in.load()
	case local.Epoch != cloud.Epoch && in.Uploaded:
		return decision(Nothing, 6, "new epoch: the epoch changed again under the upload; the next cycle begins anew")
	case local.Epoch != cloud.Epoch:
		return upload(NewEpoch, 6, "new epoch: the source was restored or replaced; every row again, then a diff")
	case !in.Content && local.High > cloud.Watermark && !in.Uploaded:
		return upload(Delta, 7, "local %s is above the cloud's %s", num(local.High), num(cloud.Watermark))
	case in.State.Owed && !in.Diffed && in.waits():
		return decision(Nothing, 6, "new epoch: the diff behind it waits: %s", in.Resting)
	case in.State.Owed && !in.Diffed:
		return decision(Diff, 6, "new epoch: rows that the source no longer has must go")
	case !in.Content && local.High > cloud.Watermark:
		return decision(Nothing, 7, "uploaded; local %s went above the cloud's %s meanwhile, which waits for the next cycle",
			num(local.High), num(cloud.Watermark))
	case !in.Content && cloud.Watermark > in.Ceiling && !in.EpochChecked:
		return decision(CheckEpoch, 8, "%s", in.wentBack())
	case !in.Content && cloud.Watermark > in.Ceiling && !in.Diffed && in.waits():
		return decision(Nothing, 8, "%s; the diff waits: %s", in.wentBack(), in.Resting)
	case !in.Content && cloud.Watermark > in.Ceiling && !in.Diffed:
		return decision(Diff, 8, "%s", in.wentBack())
	}
	if d, ok := in.counts(); ok {
		return d
	}
	switch {
	case in.Diffed:
		return decision(Nothing, 11, "compared just now")
	case in.Asked == DiffNow:
		return decision(Diff, 10, "check, asked for")
	case in.checkIsDue():
		return decision(Diff, 10, "%s", in.whyCheck())
	}
	return decision(Nothing, 11, "%s", in.identical())
}

// load is rule 5.
func (in Input) load() Decision {
	cloud := in.Cloud
	switch {
	case in.Uploaded:
		return decision(Nothing, 5, "first load goes on in the next cycle, %s so far", rows(cloud.Rows))
	case cloud.Epoch == "" && cloud.Rows == 0:
		return upload(FirstLoad, 5, "first load: the cloud has nothing")
	case cloud.Epoch == "":
		return upload(FirstLoad, 5, "first load, over %s that were dropped and have not gone yet", rows(cloud.Rows))
	case cloud.Epoch != in.Local.Epoch:
		return upload(NewEpoch, 5, "first load, begins again: the source was restored or replaced under it")
	case !cloud.Cursor:
		return upload(FirstLoad, 5, "first load, begins again: it has no cursor to resume at")
	}
	return upload(Resume, 5, "first load, resumes behind %s", rows(cloud.Rows))
}

// counts is rule 9. It reports false when the counts are equal, or cannot be
// compared.
func (in Input) counts() (Decision, bool) {
	if in.Diffed {
		return Decision{}, false
	}
	here := in.Local.Rows + in.State.Drift
	dueCount := in.Resting == "" && due(in.Now, in.State.Counted, in.Limits.CountEvery)
	switch {
	case in.Count != nil:
		here = in.Count.Rows
	case in.Local.Rows < 0 && dueCount:
		return decision(Count, 9, "the source has no figure for the rows: exact count every %s", every(in.Limits.CountEvery)), true
	case in.Local.Rows < 0:
		return Decision{}, false
	case in.State.Drift != 0 && dueCount:
		return decision(Count, 9, "the source's figure for the rows was wrong by %s: exact count every %s",
			num(in.State.Drift), every(in.Limits.CountEvery)), true
	}
	more := here - in.Cloud.Rows - in.Gap
	switch {
	case more == 0:
		return Decision{}, false
	case more > 0 && in.Unsettled:
		return decision(Nothing, 9, "%s, while a transaction is open: they come when it ends", in.differ(here)), true
	case in.waits():
		return decision(Nothing, 9, "%s; the diff waits: %s", in.differ(here), in.Resting), true
	case in.Count == nil:
		return decision(Count, 9, "%s: to be confirmed by an exact count", in.differ(here)), true
	case more > 0:
		return decision(Diff, 9, "the cloud lacks rows: %s", in.differ(here)), true
	}
	return decision(Diff, 9, "rows were deleted: %s", in.differ(here)), true
}
