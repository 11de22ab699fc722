//! An address that belongs to somebody is refused by name.

use super::{ALEX, connect};
use crate::world::{SUPPORT, World, mail};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;

#[tokio::test]
async fn an_agents_own_address_is_refused_by_their_name_until_they_leave_the_team() {
    let world = World::new().await;
    let agents = api::add_agent(&world.app, " Alex  Wilber ", "Alex@Contoso.example")
        .await
        .unwrap();
    assert_eq!(agents[0].name, "Alex Wilber");
    let refused = api::begin_connect(&world.app, world.request(ALEX))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::AddressInUse);
    assert_eq!(
        (refused.args["by"].as_str(), refused.args["how"].as_str()),
        ("Alex Wilber", "agent")
    );
    let renamed = api::add_agent(&world.app, "", ALEX).await.unwrap();
    assert_eq!((renamed.len(), renamed[0].id), (1, agents[0].id));
    let refused = api::begin_connect(&world.app, world.request(ALEX))
        .await
        .unwrap_err();
    assert_eq!(refused.args["by"], ALEX);
    assert!(
        api::remove_agent(&world.app, agents[0].id)
            .await
            .unwrap()
            .is_empty()
    );
    connect(&world, ALEX).await;

    let refused = api::add_agent(&world.app, "Alex", ALEX).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.args["how"].as_str()),
        (ErrorCode::AddressInUse, "connection")
    );
    let refused = api::add_agent(&world.app, "Alex", "nobody")
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidAddress);
    let refused = api::remove_agent(&world.app, agents[0].id)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn somebody_who_wrote_in_is_refused_with_their_tickets_unless_the_person_insists() {
    let world = World::new().await;
    let support = connect(&world, SUPPORT).await;
    for number in 1..=2 {
        let text = mail(
            &format!("alex-{number}@t.example"),
            &format!("Question {number}"),
            "",
        )
        .replace(
            "Ida Test <ida@fabrikam.example>",
            "Alex Wilber <ALEX@contoso.example>",
        );
        world.deliver(&text).await;
    }
    world.poll(support).await;
    let refused = api::begin_connect(&world.app, world.request(ALEX))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::AddressInUse);
    let told = ["by", "how", "tickets"].map(|name| refused.args[name].as_str());
    assert_eq!(told, ["Alex Wilber", "requester", "2"]);

    api::allow_requester(&world.app, ALEX).unwrap();
    let alex = connect(&world, ALEX).await;
    // Once connected it is the team's, whatever it wrote; a restart forgets that the person insisted.
    api::disconnect_address(&world.app, alex).await.unwrap();
    let mut world = world;
    world.restart().await;
    assert!(
        api::begin_connect(&world.app, world.request(ALEX))
            .await
            .is_ok()
    );
}
