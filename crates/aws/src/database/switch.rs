//! The steps by which the database is put back: a second cluster is made of the backup, gets members
//! like those of the first, and takes its name and theirs. Pure.
//!
//! Names are what everything goes by: endpoints are made of them, and they are the physical ids by
//! which CloudFormation knows its resources (Amazon Aurora user guide, "Renaming a DB cluster"). The
//! cluster that was is left under another name.

use super::{AVAILABLE, DatabaseError, is_failed};

/// The longest identifier in RDS.
const LONGEST: usize = 63;

/// A member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) status: String,
    /// The member whose place it takes.
    pub(super) stands_for: Option<String>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) status: String,
    /// Its members; the first choice of a failover comes first.
    pub(super) members: Vec<Member>,
    /// Whether it is made of a backup, and its restoration is not over.
    pub(super) is_fresh: bool,
    /// Whether RDS keeps its master user's password, the last thing that a copy gets.
    pub(super) is_settled: bool,
}

/// What there is under the three names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    pub(super) own: Option<Cluster>,
    pub(super) restored: Option<Cluster>,
    pub(super) old: Option<Cluster>,
}

/// The names that a restoration uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The cluster's own.
    pub(super) own: String,
    /// Of the second one until it takes the first one's.
    pub(super) restored: String,
    /// Of the first one afterwards.
    pub(super) old: String,
}

impl Names {
    /// The names, by the second in which the restoration began.
    pub(super) fn new(cluster: &str, began: u64) -> Self {
        Self {
            own: cluster.to_owned(),
            restored: fitted(cluster, "-restored", 3),
            old: fitted(cluster, &format!("-old-{began}"), 3),
        }
    }
}

/// A name with an ending, and room for more after it, without the hyphens in a row that RDS refuses.
fn fitted(name: &str, ending: &str, room: usize) -> String {
    let length = LONGEST - room - ending.len();
    let name: String = name.chars().take(length).collect();
    format!("{}{ending}", name.trim_end_matches('-'))
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The second cluster is made of the backup.
    Restore,
    /// It gets a member like one of the first's.
    AddMember {
        name: String,
        like: String,
    },
    /// It gets what a backup does not hold: its settings, and a password in RDS' keeping.
    Settle,
    RenameMember {
        from: String,
        to: String,
    },
    RenameCluster {
        from: String,
        to: String,
    },
    /// The mark of a restoration that is not over is taken off.
    Finish,
    /// RDS is busy.
    Wait {
        what: String,
        status: String,
    },
}

/// What comes next. Each step shows in what is seen, so a restoration that broke off goes on.
pub(super) fn next_step(seen: &Seen, names: &Names) -> Result<Step, DatabaseError> {
    let own_is_fresh = seen.own.as_ref().is_some_and(|it| it.is_fresh);
    if own_is_fresh {
        return take_names(seen.own.as_ref(), names);
    }
    match (&seen.own, &seen.restored) {
        (None, None) => Err(DatabaseError::NotMade {
            cluster: names.own.clone(),
        }),
        (Some(_), None) => Ok(Step::Restore),
        (Some(own), Some(fresh)) => prepare(own, fresh, names),
        (None, Some(fresh)) => Ok(match busy(fresh, &names.restored)? {
            Some(wait) => wait,
            None => Step::RenameCluster {
                from: names.restored.clone(),
                to: names.own.clone(),
            },
        }),
    }
}

/// The second cluster is brought to what the first is; then the first makes room.
fn prepare(own: &Cluster, fresh: &Cluster, names: &Names) -> Result<Step, DatabaseError> {
    if let Some(wait) = busy(fresh, &names.restored)? {
        return Ok(wait);
    }
    let has = |id: &str| {
        let mut members = fresh.members.iter();
        members.any(|it| it.stands_for.as_deref() == Some(id))
    };
    // Members of the first that have other names already were matched before they got them.
    let is_making_room = own.members.iter().any(|it| it.id.starts_with(&names.old));
    if !is_making_room {
        let missing = own.members.iter().enumerate().find(|(_, it)| !has(&it.id));
        if let Some((place, like)) = missing {
            return Ok(Step::AddMember {
                name: format!("{}-{}", names.restored, place + 1),
                like: like.id.clone(),
            });
        }
    }
    if !fresh.is_settled {
        return Ok(Step::Settle);
    }
    if let Some(wait) = busy(own, &names.own)? {
        return Ok(wait);
    }
    for (place, member) in fresh.members.iter().enumerate() {
        let Some(name) = &member.stands_for else {
            continue;
        };
        if own.members.iter().any(|it| it.id == *name) {
            return Ok(Step::RenameMember {
                from: name.clone(),
                to: format!("{}-{}", names.old, place + 1),
            });
        }
    }
    Ok(Step::RenameCluster {
        from: names.own.clone(),
        to: names.old.clone(),
    })
}

/// The second cluster has the first's name; its members get theirs.
fn take_names(own: Option<&Cluster>, names: &Names) -> Result<Step, DatabaseError> {
    let Some(fresh) = own else {
        return Ok(Step::Finish);
    };
    if let Some(wait) = busy(fresh, &names.own)? {
        return Ok(wait);
    }
    if fresh.members.iter().all(|it| it.stands_for.is_none()) {
        // To end now would leave its members their names, and CloudFormation would miss its own.
        return Err(DatabaseError::Failed {
            what: names.own.clone(),
            status: "a cluster without its members".to_owned(),
        });
    }
    for member in &fresh.members {
        match &member.stands_for {
            Some(name) if *name != member.id => {
                return Ok(Step::RenameMember {
                    from: member.id.clone(),
                    to: name.clone(),
                });
            }
            _ => {}
        }
    }
    Ok(Step::Finish)
}

/// What is waited for, if anything; an error where that would be for ever.
fn busy(cluster: &Cluster, name: &str) -> Result<Option<Step>, DatabaseError> {
    let members = cluster.members.iter();
    let members = members.map(|it| (it.id.as_str(), it.status.as_str()));
    for (what, status) in std::iter::once((name, cluster.status.as_str())).chain(members) {
        if is_failed(status) {
            return Err(DatabaseError::Failed {
                what: what.to_owned(),
                status: status.to_owned(),
            });
        }
        // Statuses of members that can be used though something is done to them are not waited for
        // by name: there are many, and they end.
        if status != AVAILABLE {
            return Ok(Some(Step::Wait {
                what: what.to_owned(),
                status: status.to_owned(),
            }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(members: &[&str]) -> Cluster {
        Cluster {
            status: AVAILABLE.to_owned(),
            members: members.iter().map(|id| member(id, None)).collect(),
            is_fresh: false,
            is_settled: true,
        }
    }

    fn member(id: &str, stands_for: Option<&str>) -> Member {
        Member {
            id: id.to_owned(),
            status: AVAILABLE.to_owned(),
            stands_for: stands_for.map(str::to_owned),
        }
    }

    /// Does to the world what RDS would.
    fn take(seen: &mut Seen, step: &Step, names: &Names) {
        match step {
            Step::Restore => {
                let mut fresh = cluster(&[]);
                (fresh.is_fresh, fresh.is_settled) = (true, false);
                seen.restored = Some(fresh);
            }
            Step::AddMember { name, like } => {
                let fresh = seen.restored.as_mut().unwrap();
                fresh.members.push(member(name, Some(like)));
            }
            Step::Settle => seen.restored.as_mut().unwrap().is_settled = true,
            Step::RenameMember { from, to } => {
                let all = [&mut seen.own, &mut seen.restored, &mut seen.old];
                let clusters = all.into_iter().flatten();
                let mut ids: Vec<&mut String> = clusters
                    .flat_map(|it| it.members.iter_mut().map(|it| &mut it.id))
                    .collect();
                assert!(ids.iter().all(|id| **id != *to), "{to} is taken");
                **ids.iter_mut().find(|id| ***id == *from).unwrap() = to.clone();
            }
            Step::RenameCluster { from, to } if *from == names.own => {
                assert_eq!(*to, names.old);
                seen.old = seen.own.take();
            }
            Step::RenameCluster { from, to } => {
                assert_eq!((from, to), (&names.restored, &names.own));
                assert!(seen.own.is_none());
                seen.own = seen.restored.take();
            }
            Step::Finish => seen.own.as_mut().unwrap().is_fresh = false,
            Step::Wait { .. } => panic!("all is available"),
        }
    }

    #[test]
    fn the_copy_takes_all_names_and_the_first_is_left() {
        let names = Names::new("shop-production-db", 1_800_000_000);
        let mut seen = Seen {
            own: Some(cluster(&["x1", "x2"])),
            ..Seen::default()
        };
        let mut steps = 0;
        loop {
            let step = next_step(&seen, &names).unwrap();
            take(&mut seen, &step, &names);
            steps += 1;
            if step == Step::Finish {
                break;
            }
        }
        // The copy, two members, its settings, two names each, two clusters, the end.
        assert_eq!(steps, 11);
        let ids = |cluster: &Option<Cluster>| {
            let members = &cluster.as_ref().unwrap().members;
            members.iter().map(|it| it.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&seen.own), ["x1", "x2"]);
        assert!(seen.restored.is_none());
        assert_eq!(
            ids(&seen.old),
            [
                "shop-production-db-old-1800000000-1",
                "shop-production-db-old-1800000000-2"
            ]
        );
    }

    #[test]
    fn what_rds_works_on_is_waited_for_and_what_failed_ends_it() {
        let names = Names::new("db", 1);
        let mut fresh = cluster(&["db-restored-1"]);
        fresh.is_fresh = true;
        fresh.members[0].stands_for = Some("x1".to_owned());
        fresh.members[0].status = "creating".to_owned();
        let mut seen = Seen {
            own: Some(cluster(&["x1"])),
            restored: Some(fresh),
            old: None,
        };
        assert_eq!(
            next_step(&seen, &names).unwrap(),
            Step::Wait {
                what: "db-restored-1".to_owned(),
                status: "creating".to_owned()
            }
        );
        seen.restored.as_mut().unwrap().members[0].status = "incompatible-restore".to_owned();
        assert!(next_step(&seen, &names).is_err());
        assert!(next_step(&Seen::default(), &names).is_err());
    }

    #[test]
    fn names_fit_into_rds() {
        let names = Names::new(&"a".repeat(63), u64::from(u32::MAX));
        for name in [names.restored, names.old] {
            assert!(format!("{name}-15").len() <= LONGEST, "{name}");
        }
        let cut = Names::new(&format!("{}-production-db", "a".repeat(42)), 1_800_000_000);
        assert!(!cut.old.contains("--"), "{}", cut.old);
    }
}
