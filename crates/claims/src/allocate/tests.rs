use proptest::prelude::*;

use super::*;

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn key(scope: Scope) -> LimitKey {
    LimitKey {
        jurisdiction: JurisdictionCode::parse("140802").unwrap(),
        programme: ProgrammeId::parse("appliance-2026").unwrap(),
        scope,
    }
}

fn scopes() -> [Scope; 4] {
    [
        Scope::Fund,
        Scope::County,
        Scope::Category("air_conditioner".to_owned()),
        Scope::Month { year: 2026, month: 6 },
    ]
}

fn digest(of: u8) -> Digest {
    Digest::new([of; 16])
}

fn demand(money: i64) -> Demand {
    Demand {
        keys: Vec::new(),
        quota: None,
        money: Some(fen(money)),
        funds: vec![key(Scope::Fund)],
        priority: false,
        eligible: true,
    }
}

fn fund(available: i64) -> State {
    State {
        limits: [(key(Scope::Fund), Limit::fund(fen(available), 0))].into(),
        ..State::default()
    }
}

#[test]
fn a_cap_that_fits_fifty_gives_fifty() {
    let mut state = fund(50 * 600);
    let allocations = allocate(&mut state, &vec![demand(600); 200]);
    assert!(
        allocations[..50]
            .iter()
            .all(|a| a.reserved && a.cap == Some(CapOutcome::Granted))
    );
    assert!(allocations[50..].iter().all(|a| a.holds && !a.reserved));
    assert_eq!(
        allocations[199].cap,
        Some(CapOutcome::Exhausted {
            key: key(Scope::Fund),
            left: Fen::ZERO,
            waiting: 149
        })
    );
    assert_eq!(state.limits[&key(Scope::Fund)].waiting, 150);
}

#[test]
fn a_taken_key_leaves_all_else_untouched() {
    let mut state = fund(1_000);
    let quota = QuotaKey {
        person: digest(9),
        slot: "appliance-2026/air_conditioner".to_owned(),
    };
    let first = Demand {
        keys: vec![
            (UniqueKind::Invoice, digest(1)),
            (UniqueKind::SerialNumber, digest(2)),
        ],
        quota: Some((quota.clone(), 3)),
        ..demand(100)
    };
    let second = Demand {
        keys: vec![
            (UniqueKind::Invoice, digest(3)),
            (UniqueKind::SerialNumber, digest(2)),
        ],
        ..first.clone()
    };
    let third = Demand {
        keys: vec![(UniqueKind::Invoice, digest(3))],
        ..first.clone()
    };
    let allocations = allocate(&mut state, &[first, second, third]);
    assert_eq!(allocations[1].taken, [UniqueKind::SerialNumber]);
    assert_eq!(
        allocations[1].quota,
        Some(QuotaOutcome {
            used_before: 1,
            limit: 3,
            ok: true
        })
    );
    assert!(!allocations[1].holds && allocations[1].cap.is_none());
    assert!(
        allocations[2].reserved,
        "the refused claim did not take the invoice"
    );
    assert_eq!(state.quotas[&quota], 2);
    assert_eq!(state.limits[&key(Scope::Fund)].left(), fen(800));
}

#[test]
fn a_full_quota_takes_no_key() {
    let mut state = fund(1_000);
    let quota = QuotaKey {
        person: digest(9),
        slot: "car/2026".to_owned(),
    };
    let of = |vin| Demand {
        keys: vec![(UniqueKind::NewVin, digest(vin))],
        quota: Some((quota.clone(), 1)),
        ..demand(100)
    };
    let allocations = allocate(&mut state, &[of(1), of(2)]);
    assert_eq!(
        allocations[1].quota,
        Some(QuotaOutcome {
            used_before: 1,
            limit: 1,
            ok: false
        })
    );
    assert!(!allocations[1].holds && !state.taken.contains(&(UniqueKind::NewVin, digest(2))));
}

#[test]
fn a_claim_without_a_price_holds_and_waits_for_nothing() {
    let mut state = fund(1_000);
    let unpriced = Demand {
        money: None,
        keys: vec![(UniqueKind::Invoice, digest(1))],
        ..demand(0)
    };
    let allocation = &allocate(&mut state, &[unpriced])[0];
    assert!(allocation.holds && !allocation.reserved && allocation.cap.is_none());
    assert_eq!(state.limits, fund(1_000).limits);
}

#[test]
fn ineligible_takes_nothing_and_an_unknown_limit_gives_nothing() {
    let mut state = fund(1_000);
    let refused = Demand {
        eligible: false,
        keys: vec![(UniqueKind::Invoice, digest(1))],
        ..demand(100)
    };
    assert!(!allocate(&mut state, &[refused])[0].holds);
    assert_eq!(state, fund(1_000));
    let elsewhere = Demand {
        funds: vec![key(Scope::County)],
        ..demand(100)
    };
    assert!(!allocate(&mut state, &[elsewhere])[0].reserved);
}

#[test]
fn a_newcomer_does_not_overtake_but_a_corrected_claim_keeps_its_place() {
    let mut state = fund(100);
    let newcomer = demand(50);
    let corrected = Demand {
        priority: true,
        ..demand(50)
    };
    let allocations = allocate(&mut state, &[demand(150), newcomer, corrected]);
    assert!(!allocations[0].reserved && !allocations[1].reserved && allocations[2].reserved);
    assert_eq!(
        allocations[1].cap,
        Some(CapOutcome::Exhausted {
            key: key(Scope::Fund),
            left: fen(100),
            waiting: 1
        })
    );
}

#[test]
fn locks_are_ordered_by_jurisdiction_first() {
    let city = LimitKey {
        jurisdiction: JurisdictionCode::parse("140800").unwrap(),
        ..key(Scope::County)
    };
    let mut keys = [
        key(Scope::Month { year: 2026, month: 6 }),
        key(Scope::Fund),
        key(Scope::Category("television".to_owned())),
        city.clone(),
        key(Scope::County),
    ];
    keys.sort();
    assert_eq!(keys[0], city);
    assert_eq!(keys[1], key(Scope::Fund));
    assert_eq!(keys[2], key(Scope::County));
}

fn arbitrary_demand() -> impl Strategy<Value = Demand> {
    let keys = prop::collection::vec(
        (
            prop::sample::select(vec![UniqueKind::Invoice, UniqueKind::SerialNumber]),
            (0..12_u8).prop_map(digest),
        ),
        0..3,
    );
    let quota = prop::option::of((0..4_u8, 1..3_u32)).prop_map(|quota| {
        quota.map(|(person, limit)| {
            (
                QuotaKey {
                    person: digest(person),
                    slot: format!("slot-{limit}"),
                },
                limit,
            )
        })
    });
    let funds = prop::sample::subsequence(scopes().to_vec(), 1..=4)
        .prop_map(|scopes| scopes.into_iter().map(key).collect::<Vec<_>>());
    let money = prop::option::weighted(0.9, (0..300_i64).prop_map(fen));
    (
        keys,
        quota,
        money,
        funds,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.9),
    )
        .prop_map(|(keys, quota, money, funds, priority, eligible)| Demand {
            keys,
            quota,
            money,
            funds,
            priority,
            eligible,
        })
}

fn arbitrary_state() -> impl Strategy<Value = State> {
    prop::collection::vec((prop::option::weighted(0.8, 0..2_000_i64), 0..500_i64), 4).prop_map(|limits| {
        let limits = scopes()
            .into_iter()
            .zip(limits)
            .map(|(scope, (limit, committed))| {
                let limit = match scope {
                    Scope::Fund => Limit::fund(fen(limit.unwrap_or(500)), 0),
                    _ => Limit::cap(limit.map(fen), fen(committed), 0),
                };
                (key(scope), limit)
            });
        State {
            limits: limits.collect(),
            ..State::default()
        }
    })
}

/// A claim that `allocate` sent to wait, as the waitlist records it.
fn waiting(demand: &Demand, allocation: &Allocation) -> Option<Waiting> {
    match (&allocation.cap, demand.money) {
        (Some(CapOutcome::Exhausted { key, .. }), Some(money)) => Some(Waiting {
            money,
            funds: demand.funds.clone(),
            waits_for: key.clone(),
        }),
        _ => None,
    }
}

fn counted(state: &State) -> u64 {
    state.limits.values().map(|limit| limit.waiting).sum()
}

proptest! {
    #[test]
    fn a_batch_is_as_if_one_after_another(
        state in arbitrary_state(),
        demands in prop::collection::vec(arbitrary_demand(), 0..40),
        cut in 0..40_usize,
    ) {
        let (mut together, mut apart, mut halves) = (state.clone(), state.clone(), state);
        let batch = allocate(&mut together, &demands);
        let ones: Vec<_> = demands.iter().flat_map(|d| allocate(&mut apart, std::slice::from_ref(d))).collect();
        let cut = cut.min(demands.len());
        let mut two = allocate(&mut halves, &demands[..cut]);
        two.extend(allocate(&mut halves, &demands[cut..]));
        prop_assert_eq!(&batch, &ones);
        prop_assert_eq!(&batch, &two);
        prop_assert_eq!(&together, &apart);
        prop_assert_eq!(&together, &halves);
    }

    #[test]
    fn nothing_is_given_twice_or_beyond_its_limit(
        before in arbitrary_state(),
        demands in prop::collection::vec(arbitrary_demand(), 0..60),
    ) {
        let mut state = before.clone();
        let allocations = allocate(&mut state, &demands);
        let mut held = HashSet::new();
        let mut used: HashMap<QuotaKey, u32> = HashMap::new();
        let mut spent: BTreeMap<LimitKey, Fen> = BTreeMap::new();
        for (demand, allocation) in demands.iter().zip(&allocations) {
            prop_assert!(demand.eligible || !allocation.holds);
            prop_assert!(allocation.holds || !allocation.reserved);
            if allocation.holds {
                let keys: HashSet<_> = demand.keys.iter().copied().collect();
                prop_assert!(keys.is_disjoint(&held), "two holders of a key");
                held.extend(keys);
                if let Some((quota, limit)) = &demand.quota {
                    let used = used.entry(quota.clone()).or_insert(0);
                    *used += 1;
                    prop_assert!(*used <= *limit, "beyond the quota");
                }
            }
            if allocation.reserved {
                for key in &demand.funds {
                    let spent = spent.entry(key.clone()).or_insert(Fen::ZERO);
                    *spent = spent.checked_add(demand.money.unwrap()).unwrap();
                }
            }
        }
        prop_assert_eq!(held, state.taken);
        prop_assert_eq!(used, state.quotas);
        for (key, limit) in &state.limits {
            let spent = spent.get(key).copied().unwrap_or(Fen::ZERO);
            prop_assert!(spent <= before.limits[key].left(), "beyond {:?}", key);
            prop_assert_eq!(limit.committed, before.limits[key].committed.checked_add(spent).unwrap());
        }
    }

    #[test]
    fn waiters_are_never_overtaken(
        mut state in arbitrary_state(),
        demands in prop::collection::vec(arbitrary_demand(), 0..60),
    ) {
        let mut awaited: HashSet<LimitKey> = HashSet::new();
        for (demand, allocation) in demands.iter().zip(allocate(&mut state, &demands)) {
            if allocation.reserved && !demand.priority {
                prop_assert!(demand.funds.iter().all(|key| !awaited.contains(key)));
            }
            awaited.extend(waiting(demand, &allocation).map(|w| w.waits_for));
        }
    }

    #[test]
    fn the_waitlist_is_served_in_order(
        mut state in arbitrary_state(),
        demands in prop::collection::vec(arbitrary_demand(), 0..60),
        returned in prop::collection::vec(0..1_500_i64, 4),
    ) {
        let allocations = allocate(&mut state, &demands);
        let mut queue: Vec<Waiting> =
            demands.iter().zip(&allocations).filter_map(|(d, a)| waiting(d, a)).collect();
        prop_assert_eq!(counted(&state), u64::try_from(queue.len()).unwrap());

        for (scope, returned) in scopes().into_iter().zip(returned) {
            let limit = state.limits.get_mut(&key(scope)).unwrap();
            limit.limit = limit.limit.map(|limit| limit.checked_add(fen(returned)).unwrap());
        }
        let before = state.clone();
        let served = serve(&mut state, &mut BTreeSet::new(), &queue);

        let mut passed_over: Vec<(&Waiting, &LimitKey)> = Vec::new();
        for (claim, served) in queue.iter().zip(&served) {
            match served {
                // No claim before it waits at a limit that it uses.
                Served::Granted => {
                    prop_assert!(!passed_over.iter().any(|(_, at)| claim.funds.contains(at)));
                }
                // It, or a claim before it, really lacks money there.
                Served::Waits { key, left } => {
                    passed_over.push((claim, key));
                    prop_assert!(claim.funds.contains(key));
                    prop_assert!(passed_over.iter().any(|(w, _)| w.funds.contains(key) && *left < w.money));
                }
            }
        }
        for (key, limit) in &state.limits {
            let spent = limit.committed.checked_sub(before.limits[key].committed).unwrap();
            prop_assert!(spent <= before.limits[key].left());
        }

        // Claims that still wait are counted where they wait, and without new money no other is
        // served.
        let still = served.into_iter().zip(queue.drain(..)).filter_map(|(served, claim)| match served {
            Served::Granted => None,
            Served::Waits { key, .. } => Some(Waiting { waits_for: key, ..claim }),
        });
        let still: Vec<Waiting> = still.collect();
        prop_assert_eq!(counted(&state), u64::try_from(still.len()).unwrap());
        let again = serve(&mut state, &mut BTreeSet::new(), &still);
        prop_assert!(!again.contains(&Served::Granted));
        prop_assert_eq!(counted(&state), u64::try_from(still.len()).unwrap());
    }
}
