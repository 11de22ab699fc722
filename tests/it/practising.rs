//! Practising in the practice tenant: what is broken shows on the map, and everything comes back.

use crate::world::World;
use mailroom_core::api;
use mailroom_core::api::view::{ConnectionMap, StationState, Strikes};
use mailroom_core::diagnosis::catalogue::Language;
use mailroom_core::diagnosis::practice::{Scenario, exercise, names};
use mailroom_sandbox::exercises;
use std::collections::BTreeSet;

fn scenarios() -> Vec<Scenario> {
    let told = exercises().into_iter().map(|exercise| {
        let mut told = serde_json::to_value(&exercise).unwrap();
        told["on"] = false.into();
        serde_json::from_value(told).unwrap()
    });
    told.collect()
}

#[test]
fn everything_that_can_be_practised_has_words_in_every_language() {
    let known: BTreeSet<&str> = names().collect();
    let offered: Vec<Scenario> = scenarios();
    let offered_names: BTreeSet<&str> = offered.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(known, offered_names);
    for scenario in &offered {
        for language in Language::ALL {
            let view = exercise(scenario, language).unwrap();
            // A gap where a value was wanted would show as an empty pair of quotes.
            for gap in ["“”", "„“", "「」"] {
                assert!(!view.mend_text.contains(gap), "{}", view.mend_text);
            }
        }
    }
}

fn is_well(map: &ConnectionMap) -> bool {
    map.stations
        .iter()
        .all(|view| !matches!(view.state, StationState::Failed | StationState::Warning))
}

fn blamed(map: &ConnectionMap) -> String {
    let blamed = map
        .stations
        .iter()
        .filter_map(|view| Some((view.station.name(), &view.finding.as_ref()?.code)));
    format!("{:?}", blamed.collect::<Vec<_>>())
}

/// A poll that was under way when the trouble ended may still report it once.
async fn looked_at_until_well(world: &World, id: i64) -> ConnectionMap {
    for _ in 0..5 {
        let map = looked_at(world, id).await;
        if is_well(&map) {
            return map;
        }
    }
    looked_at(world, id).await
}

async fn looked_at(world: &World, id: i64) -> ConnectionMap {
    api::poll_practice(&world.app).await.unwrap();
    api::check_address(&world.app, id, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_broken_shows_and_stopping_brings_everything_back() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    api::pause_address(&world.app, id).await.unwrap();
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        assert!(world.sandbox.practise(&scenario.name));
        let mut shows = false;
        // A server that refuses some requests only does not refuse something in every look.
        for _ in 0..if scenario.strikes == Strikes::Connection {
            5
        } else {
            1
        } {
            shows = !is_well(&looked_at(&world, id).await);
            if shows {
                break;
            }
        }
        if shows != (scenario.strikes == Strikes::Connection) {
            wrong.push(format!("{}: shows {shows}", scenario.name));
        }
        world.sandbox.stop_practising();
        let map = looked_at_until_well(&world, id).await;
        if !is_well(&map) {
            wrong.push(format!("{} stays: {}", scenario.name, blamed(&map)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    world.app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_sets_the_switch_right_mends_the_connection() {
    let world = World::new().await;
    let id = world.connect(None).await.id;
    api::pause_address(&world.app, id).await.unwrap();
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let fields = if scenario.mend == api::view::Mend::Switch {
            let to = serde_json::json!({"setting": scenario.name, "to": "healthy"});
            ("set", to)
        } else if scenario.mend == api::view::Mend::GrantConsent {
            ("grant-consent", serde_json::json!({}))
        } else {
            continue;
        };
        if scenario.strikes != Strikes::Connection {
            continue;
        }
        assert!(world.sandbox.practise(&scenario.name));
        looked_at(&world, id).await;
        world
            .control(&format!("admin/{}", fields.0), fields.1)
            .await;
        if world
            .sandbox
            .scenarios_on()
            .contains(&scenario.name.as_str())
        {
            wrong.push(format!("{} is still on", scenario.name));
        }
        let map = looked_at_until_well(&world, id).await;
        if !is_well(&map) {
            wrong.push(format!("{}: {}", scenario.name, blamed(&map)));
        }
        world.sandbox.stop_practising();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    world.app.close().await;
}
