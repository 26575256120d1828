/* SPDX-License-Identifier: MIT */
/*
 * The dance of memory hotplug, requests, the worker, a machine without memory, loading and unloading,
 * with two subblocks in one memory block. Each inline below that stands for a function of kmod/ is
 * called after it; what is atomic here holds the books' lock there. `./run model` checks it, and that
 * it finds what once was wrong: OLD_LOADED, OLD_ROLL_BACK and OLD_UNLOAD put that back. UNSETTLED lets
 * the worker take what a request has not settled yet.
 *
 * models: memory_event memplug_hotplug_exclude memplug_hotplug_exclude_events leave take_back stay gone arrived
 * models: memplug_region_reserve memplug_region_reserve_owned memplug_region_reserve_wanted
 * models: memplug_region_reserve_in_need memplug_region_commit memplug_region_commit_wanted
 * models: memplug_region_abort memplug_region_leave memplug_region_stay memplug_region_gone
 * models: memplug_region_update give_up_absent memplug_release_everything is_nothing_held
 * models: memplug_request_roll_back carry_out find_memory
 */

#define NR 2
#ifndef ROUNDS
#define ROUNDS 2
#endif

/* Whose the pages of a subblock are: the kernel's; claimed; claimed and without references, as their
 * block may go; or nobody's, offline.
 */
mtype = { kernels, held, left, absent };
mtype page[NR] = kernels;

/* The kernel's: is the block online; isolated, from before its first event until after its last. */
bool online = true;
bool isolated;

/* The notifier chain: who calls it keeps it from changing. */
byte callers;
bool registered;

/* hotplug.lock, and what it protects. */
byte readers;
bool writing;
bool under_way;

/* The books. */
bool managed[NR];
bool unplugged[NR];
bool busy[NR];
bool wanted[NR];
bool leaving[NR];
bool owned[NR];

/* The module: may be asked; its parts are to end. */
bool loaded;
bool stopping;
bool request_over;
bool worker_over;
bool oom_over;
bool unloaded;

/* What the request said: all of it, or nothing. */
bool kept;
bool gave_back;

inline down_read() { atomic { !writing -> readers++ } }
inline up_read() { readers-- }
inline down_write() { atomic { !writing && readers == 0 -> writing = true } }
inline up_write() { writing = false }

/* memplug_hotplug_exclude(), with memplug_hotplug_wait() around it; gives up when it is to end. */
inline exclude(ok) {
	do
	:: atomic { !writing && !under_way -> readers++; ok = true; break }
	:: stopping -> ok = false; break
	od
}
inline exclude_events() { down_read() }

inline memplug_region_update() {
	atomic {
		i = 0;
		do
		:: i < NR ->
			if
			:: !unplugged[i] -> managed[i] = online
			:: else
			fi;
			i++
		:: else -> break
		od
	}
}

inline unmanage(n) {
	was = unplugged[n];
	unplugged[n] = false;
	managed[n] = false;
	if
	:: was && !busy[n] -> wanted[n] = true
	:: else
	fi
}

inline memplug_region_leave() {
	atomic {
		i = 0;
		do
		:: i < NR ->
			leaving[i] = leaving[i] || unplugged[i];
			unmanage(i);
			i++
		:: else -> break
		od
	}
}

inline memplug_region_gone() {
	atomic {
		i = 0;
		do
		:: i < NR -> unmanage(i); leaving[i] = false; i++
		:: else -> break
		od
	}
}

/* Its pages have their references. */
inline stay(n) {
	atomic {
		assert(page[n] == held);
		/* memplug_region_stay() */
		again = wanted[n] || busy[n];
		leaving[n] = false;
		wanted[n] = false;
		if
		:: again -> unplugged[n] = true
		:: else
		fi
	}
	if
	:: !again -> page[n] = kernels
	:: else
	fi
}

inline take_back() {
	j = 0;
	do
	:: j < NR ->
		if
		:: leaving[j] -> page[j] = held; stay(j)
		:: else
		fi;
		j++
	:: else -> break
	od
}

/* MEM_GOING_OFFLINE: the references go, unless somebody else has one. */
inline leave() {
	memplug_region_leave();
	refused = false;
	j = 0;
	do
	:: j < NR ->
		if
		:: leaving[j] && page[j] == held -> page[j] = left
		:: leaving[j] && page[j] == held -> refused = true; break
		:: !leaving[j]
		fi;
		j++
	:: else -> break
	od;
	if
	:: refused ->
		memplug_region_update();
		j = 0;
		do
		:: j < NR ->
			if
			:: leaving[j] -> page[j] = held; stay(j)
			:: else
			fi;
			j++
		:: else -> break
		od
	:: else
	fi
}

inline gone() { memplug_region_gone() }
inline arrived() { memplug_region_update() }

#define GOING_OFFLINE 0
#define CANCEL_OFFLINE 1
#define OFFLINE 2
#define GOING_ONLINE 3
#define ONLINE 4
#define CANCEL_ONLINE 5

inline memory_event(event) {
	callers++;
	refused = false;
	if
	:: registered ->
		down_write();
		if
		:: event == GOING_OFFLINE ->
			under_way = true;
			leave();
			if
			:: refused -> under_way = false
			:: else
			fi
		:: event == GOING_ONLINE -> under_way = true
		:: event == ONLINE -> arrived(); under_way = false
		:: event == OFFLINE || event == CANCEL_ONLINE ->
#ifdef OLD_LOADED
			if
			:: under_way -> gone()
			:: else
			fi;
#else
			gone();
#endif
			under_way = false
		:: event == CANCEL_OFFLINE ->
			memplug_region_update();
			take_back();
			under_way = false
		fi;
		up_write()
	:: else
	fi;
	callers--
}

/* The kernel takes the block offline, or tries to, and brings it back. */
proctype hotplug() {
	byte i, j, rounds;
	bool was, again, refused;

	do
	:: rounds < ROUNDS && online ->
		rounds++;
		isolated = true;
		memory_event(GOING_OFFLINE);
		if
		:: !refused && page[0] != held && page[1] != held ->
			d_step {
				online = false;
				page[0] = absent;
				page[1] = absent
			};
			isolated = false;
			memory_event(OFFLINE);
			/* nothing is managed that is not there */
			assert(!registered || (!managed[0] && !managed[1]));
			assert(!registered || (!unplugged[0] && !unplugged[1] && !leaving[0] && !leaving[1]))
		:: true ->
			isolated = false;
			memory_event(CANCEL_OFFLINE)
		fi
	:: rounds < ROUNDS && !online ->
		rounds++;
		memory_event(GOING_ONLINE);
		if
		:: d_step {
				online = true;
				page[0] = kernels;
				page[1] = kernels
			};
			memory_event(ONLINE)
		:: memory_event(CANCEL_ONLINE)
		fi
	:: break
	od
}

/* carry_out() of a claim that is reserved: under the exclusion, and only what is still managed. */
inline claim(n, done) {
	done = false;
	exclude(ok);
	if
	:: ok && managed[n] ->
		/*
		 * The kernel refuses what is isolated, or in use for good, and may refuse anything. Also
		 * if the module came when the block was on its way already, nothing of it is had.
		 */
		if
		:: atomic {
				!isolated && page[n] == kernels ->
				assert(online && !under_way);
				page[n] = held
			};
			done = true
		:: true
		fi;
	:: else
	fi
}
inline allow() {
	if
	:: ok -> up_read()
	:: else
	fi
}

/* All or nothing: both subblocks, or what was taken goes back. */
proctype request() {
	byte n, count;
	bool ok, done, mine;

	loaded;
	n = 0;
	do
	:: n < NR && !stopping ->
		/* memplug_region_reserve() */
		atomic {
			mine = managed[n] && !unplugged[n] && !busy[n] && !owned[n];
			busy[n] = busy[n] || mine
		};
		if
		:: mine ->
			claim(n, done);
			atomic {
				/* memplug_region_commit_taken(), or memplug_region_abort() */
				assert(busy[n]);
				busy[n] = false;
				if
				:: done ->
					unplugged[n] = true;
					wanted[n] = false;
					owned[n] = true;
					count++
				:: else
				fi
			};
			allow()
		:: else
		fi;
		n++
	:: else -> break
	od;
	if
	:: count == NR -> kept = true
	:: else ->
		/* memplug_request_roll_back() */
		n = 0;
		do
		:: n < NR ->
			/* memplug_region_reserve_owned() */
			atomic {
				mine = owned[n] && !busy[n];
				if
				:: mine && !unplugged[n] ->
					/* give_up_absent() */
					owned[n] = false;
#ifndef OLD_ROLL_BACK
					wanted[n] = false;
#endif
					mine = false
				:: else
				fi;
				busy[n] = busy[n] || mine
			};
			if
			:: mine ->
				exclude_events();
				/* release_excluded() */
				if
				:: unplugged[n] ->
					assert(page[n] == held);
					page[n] = kernels;
					atomic { busy[n] = false; unplugged[n] = false; owned[n] = false }
				:: else -> atomic { busy[n] = false; owned[n] = false }
				fi;
				up_read()
			:: else
			fi;
			n++
		:: else -> break
		od;
		gave_back = count > 0
	fi;
	/* memplug_request_settle() */
	atomic { owned[0] = false; owned[1] = false };
	request_over = true
}

/* The worker: what is wanted, one at a time. */
proctype worker() {
	byte n;
	bool ok, done, mine;

	loaded;
	do
	:: stopping -> break
	:: !stopping && (wanted[0] && managed[0] && !busy[0] || wanted[1] && managed[1] && !busy[1]) ->
		n = (wanted[0] && managed[0] && !busy[0] -> 0 : 1);
		/* memplug_region_reserve_wanted() */
		atomic {
			mine = wanted[n] && managed[n] && !unplugged[n] && !busy[n];
#ifndef UNSETTLED
			mine = mine && !owned[n];
#endif
			busy[n] = busy[n] || mine
		};
		if
		:: mine ->
			claim(n, done);
			/* memplug_region_commit_wanted() */
			atomic {
				if
				:: done && wanted[n] ->
					unplugged[n] = true;
					wanted[n] = false;
					owned[n] = false;
					done = false
				:: else
				fi
			};
			if
			:: done -> page[n] = kernels
			:: else
			fi;
			busy[n] = false;
			allow()
		:: else
		fi
	od;
	worker_over = true
}

/* A machine without memory gets some back, whoever has it. */
proctype oom() {
	byte n;
	bool mine;

	loaded;
	if
	:: true ->
		/* memplug_hotplug_try_exclude_events() */
		atomic { mine = !writing; readers = readers + (mine -> 1 : 0) };
		if
		:: mine ->
			n = 0;
			do
			:: n < NR ->
				/* memplug_region_reserve_in_need() */
				atomic {
					mine = managed[n] && unplugged[n] && !busy[n];
					busy[n] = busy[n] || mine
				};
				if
				:: mine ->
					assert(page[n] == held);
					page[n] = kernels;
					atomic { busy[n] = false; unplugged[n] = false }
				:: else
				fi;
				n++
			:: else -> break
			od;
			up_read()
		:: else
		fi
	:: true
	fi;
	oom_over = true
}

inline memplug_release_everything() {
	do
	:: true ->
		/* memplug_region_drop_wanted() */
		atomic { wanted[0] = false; wanted[1] = false };
		n = 0;
		do
		:: n < NR ->
			/* give_up() */
			exclude_events();
			atomic {
				mine = managed[n] && unplugged[n] && !busy[n];
				busy[n] = busy[n] || mine
			};
			if
			:: mine ->
				assert(page[n] == held);
				page[n] = kernels;
				atomic { busy[n] = false; unplugged[n] = false }
			:: else
			fi;
			up_read();
			n++
		:: else -> break
		od;
		/* memplug_hotplug_wait_for_end() */
		!under_way;
#ifdef OLD_UNLOAD
		break
#else
		/* is_nothing_held() */
		exclude_events();
		ok = !under_way && !unplugged[0] && !unplugged[1] && !leaving[0] && !leaving[1];
		up_read();
		if
		:: ok -> break
		:: else
		fi
#endif
	od
}

proctype module() {
	byte i, n;
	bool ok, mine, was;

	/* memplug_hotplug_init(): at any moment, but not in the middle of a call */
	atomic { callers == 0 -> registered = true };
	/* find_memory() */
	exclude(ok);
	memplug_region_update();
	allow();
	loaded = true;

	/* whoever has the device open keeps the module; then its worker ends */
	request_over;
	stopping = true;
	worker_over && oom_over;
	memplug_release_everything();
	/* memplug_hotplug_exit() */
	atomic { callers == 0 -> registered = false };
	/* nothing is left behind */
	assert(!unplugged[0] && !unplugged[1] && !leaving[0] && !leaving[1] && !busy[0] && !busy[1]);
	assert(page[0] != held && page[0] != left && page[1] != held && page[1] != left);
	/* memplug_region_exit() */
	atomic { managed[0] = false; managed[1] = false; unloaded = true }
}

/*
 * While nobody is at work: what is unplugged is held, and what a request gave back is neither unplugged
 * nor wanted for it.
 */
#define quiet (loaded && !stopping && callers == 0 && readers == 0 && !writing && !under_way && \
	       request_over && oom_over && !busy[0] && !busy[1])

active proctype watch() {
end:	atomic {
		quiet ->
		assert(!unplugged[0] || page[0] == held);
		assert(!unplugged[1] || page[1] == held);
		assert(!gave_back || (!unplugged[0] && !unplugged[1] && !wanted[0] && !wanted[1]));
		assert(page[0] != left && page[1] != left)
	}
}

init {
	atomic {
		run hotplug();
		run request();
		run worker();
		run oom();
		run module()
	}
}
