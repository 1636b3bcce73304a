//! `mck emulate`

use std::{thread, time::Duration};

use mck_blueprint::Blueprint;
use mck_ecs_emulator::{
    emulator::Emulator,
    fault::Fault,
    http::{Endpoint, ListenError},
    scheduler::Local,
    world::World,
};
use mck_environment::EnvironmentFile;
use mck_local::{client, layout::Layout, wait::pause};

use super::{launcher, require_root};
use crate::{
    cli::{EmulateCommand, EmulateEcsOptions},
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    session::{Session, plan},
    who,
};

/// How soon Ctrl-C is noticed, and a supervisor that has come back.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub fn run(session: &Session<'_>, command: &EmulateCommand) -> Result<(), Failure> {
    match command {
        EmulateCommand::Ecs(options) => ecs(session, options),
    }
}

fn ecs(session: &Session<'_>, options: &EmulateEcsOptions) -> Result<(), Failure> {
    require_root()?;
    let local = session.applied()?;
    let world = match &options.named {
        Some(name) => World::new(&local.blueprint, &named(session, name)?),
        None => World::new(&local.blueprint, &local.blueprint),
    };
    let layout = local.layout;
    let first = client::snapshot(&layout)?;
    let region = world.names.region().to_owned();
    let work = Local::new(layout.clone(), launcher()?, who::asks());
    let emulator = Emulator::new(world, Box::new(work), &layout.top().join("ecs.json"));
    let emulator = emulator.map_err(|error| {
        Failure::from_error(Exit::StateFolder, &error)
            .hint("without that file what was registered is forgotten, and all else begins anew")
    })?;
    emulator.take(&first).map_err(|fault| unkept(&fault))?;
    if options.without_services {
        let begun = emulator.begin_without_services();
        begun.map_err(|fault| unkept(&fault))?;
    }
    let endpoint =
        Endpoint::listen(options.listen, options.open).map_err(|error| refused(&error))?;
    let url = format!("http://{}", endpoint.address());

    let interrupt = Interrupt::listen()?;
    let listener = std::sync::Arc::clone(&emulator);
    thread::spawn(move || endpoint.serve(&listener));
    session
        .printer
        .result(format_args!("AWS_ENDPOINT_URL_ECS={url}"));
    session.printer.note(format_args!(
        "Answers as ECS in {region} for {}, until Ctrl-C.",
        layout.id()
    ));
    thread::spawn(move || follow(&emulator, &layout));
    while !interrupt.pressed() {
        pause(LOOK_EVERY);
    }
    Ok(())
}

/// Another environment of the file, whose names are used.
fn named(session: &Session<'_>, name: &str) -> Result<Blueprint, Failure> {
    let read = session.read_file()?;
    let file = EnvironmentFile::parse(&read.shown, &read.bytes)?;
    plan(&file.environment(name)?)
}

/// Takes on how the environment goes on, through ends of its supervisor. What can't be kept now is kept
/// with the next call, which then tells why not.
fn follow(emulator: &Emulator, layout: &Layout) {
    loop {
        if let Ok(following) = client::follow(layout) {
            for snapshot in following.map_while(Result::ok) {
                let _ = emulator.take(&snapshot);
            }
        }
        pause(LOOK_EVERY);
    }
}

fn unkept(fault: &Fault) -> Failure {
    Failure::new(Exit::StateFolder, fault.message.clone())
}

fn refused(error: &ListenError) -> Failure {
    let (exit, hint) = match error {
        ListenError::NotLoopback(_) => (Exit::Usage, "`--open` says that this is wanted"),
        ListenError::Bind { .. } => (Exit::PortTaken, "`--listen 127.0.0.1:0` takes a free port"),
    };
    Failure::from_error(exit, error).hint(hint)
}
