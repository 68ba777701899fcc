//! The syntax of pipes, and what `trickle` makes of its argument.
//!
//! - Only a backslash at the end is an error.
//! - Nothing that is read is longer than what it was read from.
//! - Pipes, written anew, are read as the same pipes.
//! - A plan sends parts of the content that are not empty, and waits for some time.
//! - What a plan without a step below zero sends is the content, in order, as far as it comes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::pipe::{
    PipeCall, TrickleEvent, TricklePlan, TrickleStep, parse_pipes, parse_trickle, pipe_query,
};

fuzz_target!(|data: &[u8]| {
    if let Some(pipes) = pipe_query(data) {
        check_pipes(&pipes);
    }
    let text = String::from_utf8_lossy(data);
    check_pipes(&text);
    check_trickle(&text);
});

fn check_pipes(text: &str) {
    let Ok(calls) = parse_pipes(text) else {
        assert!(text.ends_with('\\'));
        return;
    };
    let length: usize = calls
        .iter()
        .map(|call| call.name.len() + call.arguments.iter().map(String::len).sum::<usize>())
        .sum();
    assert!(length <= text.len());
    let written = calls.iter().map(write).collect::<Vec<_>>().join("|");
    assert_eq!(parse_pipes(&written), Ok(calls));

    let calls = parse_pipes(&written).unwrap_or_default();
    for argument in calls.iter().flat_map(|call| &call.arguments) {
        check_trickle(argument);
    }
}

fn write(call: &PipeCall) -> String {
    let escape = |argument: &String| {
        let mut escaped = String::new();
        for character in argument.chars() {
            match character {
                '\n' => escaped.push_str("\\n"),
                '\\' | ',' | ')' => escaped.extend(['\\', character]),
                character => escaped.push(character),
            }
        }
        escaped
    };
    match &call.arguments[..] {
        [] => call.name.clone(),
        arguments => {
            let arguments: Vec<_> = arguments.iter().map(escape).collect();
            format!("{}({})", call.name, arguments.join(","))
        }
    }
}

fn check_trickle(text: &str) {
    let Ok(steps) = parse_trickle(text) else {
        return;
    };
    assert_eq!(steps.len(), text.split(':').count());
    let forward = steps.iter().all(|step| !matches!(step, TrickleStep::Bytes(..0)));
    for length in [0, 1, 10, 1000] {
        let mut plan = TricklePlan::new(steps.clone(), length);
        let mut sent = 0;
        for event in plan.by_ref().take(2000) {
            match event {
                TrickleEvent::Send(range) => {
                    assert!(range.start < range.end && range.end <= length);
                    if forward {
                        assert_eq!(range.start, sent);
                        sent = range.end;
                    }
                }
                TrickleEvent::Wait(delay) => assert!(!delay.is_zero()),
            }
        }
        let repeats = matches!(steps.last(), Some(TrickleStep::Repeat(_)));
        if forward && !repeats && steps.len() < 2000 {
            assert_eq!(sent, length);
            assert_eq!(plan.next(), None);
        }
    }
}
