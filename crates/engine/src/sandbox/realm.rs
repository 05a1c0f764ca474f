//! A realm: one runtime of the JavaScript engine for one request.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Exception, Function, Object, Promise, Runtime, Value};

use super::exchange::{Failure, FailureKind};
use super::frame::{Frame, FrameKind};

/// What user code sees; a function of the host's functions and the request.
const PRELUDE: &str = include_str!("prelude.js");

/// `$now` and `$today`, loaded when they are used.
const MOMENTS: &str = include_str!("moments.js");

/// Stack for JavaScript: enough for thousands of calls, far below the native stack of a main thread.
const STACK_BYTES: usize = 1024 * 1024;

/// The native stack that a thread needs to run a realm.
pub(super) const NATIVE_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Where the prelude's function waits for the request.
const BOOT: &str = "boot";

/// Limits of a realm. The time limit comes with each request.
#[derive(Clone, Copy, Debug)]
pub struct RealmLimits {
    /// Memory that JavaScript may hold, the items included.
    pub memory_bytes: usize,
    /// Longest result.
    pub output_bytes: usize,
}

/// The other end of the pipe, which answers questions about data.
pub(super) trait Parent {
    /// Sends a [`FrameKind::Need`] and waits for [`FrameKind::Give`] or [`FrameKind::Refuse`].
    fn ask(&mut self, need: Frame) -> io::Result<Frame>;
}

/// A runtime that has not seen a request yet.
pub(super) struct Realm {
    context: Context,
    limits: RealmLimits,
    watch: Rc<Watch>,
}

/// What is noted while a request runs.
#[derive(Default)]
struct Watch {
    deadline: Cell<Option<Instant>>,
    is_late: Cell<bool>,
    is_stuck: Cell<bool>,
    failure: RefCell<Option<Failure>>,
    broken_pipe: RefCell<Option<io::Error>>,
}

impl Watch {
    fn check_deadline(&self) -> bool {
        let is_late = self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
        if is_late {
            self.is_late.set(true);
        }
        is_late
    }
}

impl Realm {
    /// Prepares a realm, so that the next request does not wait for it.
    pub(super) fn new(limits: RealmLimits) -> rquickjs::Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(limits.memory_bytes);
        runtime.set_max_stack_size(STACK_BYTES);
        let watch = Rc::new(Watch::default());
        let watched = Rc::clone(&watch);
        runtime.set_interrupt_handler(Some(Box::new(move || watched.check_deadline())));
        let context = Context::full(&runtime)?;
        context.with(|ctx| {
            let boot: Function<'_> = ctx.eval_with_options(PRELUDE, file("tidemill"))?;
            ctx.globals().set(BOOT, boot)
        })?;
        Ok(Self { context, limits, watch })
    }

    /// Runs one request to its answer. An error is one of the pipe: there is nobody to answer to.
    pub(super) fn run(self, request: Frame, parent: Rc<RefCell<dyn Parent>>) -> io::Result<Frame> {
        let is_code = request.kind == FrameKind::Code;
        let result = self.context.with(|ctx| {
            let outcome = self
                .boot(&ctx, request.payload, parent)
                .and_then(|answer| if is_code { self.settle(&ctx, answer) } else { answer.get::<String>() });
            outcome.map_err(|error| self.failure(&ctx, &error))
        });
        if let Some(error) = self.watch.broken_pipe.take() {
            return Err(error);
        }
        let result = if self.watch.is_stuck.get() { Err(self.stuck()) } else { result };
        let result = result.and_then(|text| {
            let mut bytes = text.into_bytes();
            replace_lone_surrogates(&mut bytes);
            if bytes.len() > self.limits.output_bytes {
                let message = format!("it is longer than {} bytes", self.limits.output_bytes);
                return Err(Failure::new(FailureKind::Output, message));
            }
            Ok(bytes)
        });
        Ok(match result {
            Ok(payload) => Frame { kind: FrameKind::Done, payload },
            Err(failure) => {
                Frame { kind: FrameKind::Failed, payload: serde_json::to_vec(&failure).unwrap_or_default() }
            }
        })
    }

    fn boot<'js>(
        &self,
        ctx: &Ctx<'js>,
        request: Vec<u8>,
        parent: Rc<RefCell<dyn Parent>>,
    ) -> rquickjs::Result<Value<'js>> {
        let globals = ctx.globals();
        let boot: Function<'js> = globals.get(BOOT)?;
        globals.remove(BOOT)?;
        let request: Object<'js> = ctx.json_parse(request)?.get()?;
        let timeout = Duration::from_millis(request.get::<_, f64>("timeoutMs")?.max(0.0) as u64);
        self.watch.deadline.set(Instant::now().checked_add(timeout));
        boot.call((self.native(ctx, parent)?, request))
    }

    /// The functions of the host that the prelude uses. User code cannot reach them.
    fn native<'js>(&self, ctx: &Ctx<'js>, parent: Rc<RefCell<dyn Parent>>) -> rquickjs::Result<Object<'js>> {
        let native = Object::new(ctx.clone())?;
        native.set("outputBytes", self.limits.output_bytes as f64)?;
        let watch = Rc::clone(&self.watch);
        let need = move |ctx: Ctx<'js>, need: String| -> rquickjs::Result<String> {
            let frame = Frame { kind: FrameKind::Need, payload: need.into_bytes() };
            let answer = match parent.borrow_mut().ask(frame) {
                Ok(answer) => answer,
                Err(error) => {
                    *watch.broken_pipe.borrow_mut() = Some(error);
                    return Err(Exception::throw_message(&ctx, "the sandbox has lost its parent"));
                }
            };
            let text = String::from_utf8_lossy(&answer.payload).into_owned();
            if answer.kind == FrameKind::Give { Ok(text) } else { Err(Exception::throw_message(&ctx, &text)) }
        };
        native.set("need", Function::new(ctx.clone(), need)?)?;
        let watch = Rc::clone(&self.watch);
        let fail = move |ctx: Ctx<'js>, failure: String| -> rquickjs::Result<()> {
            let failure = serde_json::from_str(&failure)
                .unwrap_or_else(|error| Failure::new(FailureKind::Thrown, error.to_string()));
            watch.failure.borrow_mut().get_or_insert(failure);
            Err(Exception::throw_message(&ctx, "the request has failed"))
        };
        native.set("fail", Function::new(ctx.clone(), fail)?)?;
        native.set("zoneOffset", Function::new(ctx.clone(), zone_offset_minutes)?)?;
        let moments = |ctx: Ctx<'js>| -> rquickjs::Result<Function<'js>> {
            ctx.eval_with_options(MOMENTS, file("tidemill"))
        };
        native.set("moments", Function::new(ctx.clone(), moments)?)?;
        Ok(native)
    }

    /// Runs the job queue until the promise of a code node is settled.
    fn settle<'js>(&self, ctx: &Ctx<'js>, answer: Value<'js>) -> rquickjs::Result<String> {
        let promise: Promise<'js> = answer.get()?;
        loop {
            if let Some(result) = promise.result::<String>() {
                return result;
            }
            if self.watch.check_deadline() || self.watch.failure.borrow().is_some() {
                return Err(rquickjs::Error::Exception);
            }
            if !ctx.execute_pending_job() {
                self.watch.is_stuck.set(true);
                return Err(rquickjs::Error::Exception);
            }
        }
    }

    /// Why there is no result.
    fn failure(&self, ctx: &Ctx<'_>, error: &rquickjs::Error) -> Failure {
        let thrown = ctx.catch();
        if let Some(failure) = self.watch.failure.take() {
            return failure;
        }
        if self.watch.is_late.get() {
            return Failure::new(FailureKind::Timeout, "");
        }
        if !error.is_exception() {
            return match error {
                rquickjs::Error::Allocation => self.out_of_memory(),
                error => Failure::new(FailureKind::Crashed, error.to_string()),
            };
        }
        match thrown.as_exception().and_then(Exception::message) {
            None => self.out_of_memory(),
            Some(message) if message == "out of memory" => self.out_of_memory(),
            Some(message) => Failure::new(FailureKind::Crashed, message),
        }
    }

    /// Why nothing is left to do although the code has not ended. A job that runs out of memory ends without a
    /// trace; its promises still hold the memory.
    fn stuck(&self) -> Failure {
        let used = usize::try_from(self.context.runtime().memory_usage().memory_used_size).unwrap_or(0);
        if used > self.limits.memory_bytes / 4 * 3 {
            return self.out_of_memory();
        }
        Failure::new(
            FailureKind::Thrown,
            "the code waits for a promise that nothing can settle (there are no timers and no network)",
        )
    }

    fn out_of_memory(&self) -> Failure {
        Failure::new(
            FailureKind::Memory,
            format!("the limit is {} MiB", self.limits.memory_bytes / (1024 * 1024)),
        )
    }
}

fn file(name: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.filename = Some(name.to_owned());
    options
}

/// Minutes that clocks in a zone are ahead of UTC.
fn zone_offset_minutes(ctx: Ctx<'_>, zone: String, moment_ms: f64) -> rquickjs::Result<f64> {
    let name = if zone.eq_ignore_ascii_case("utc") { "UTC" } else { zone.as_str() };
    let Ok(zone) = name.parse::<Tz>() else {
        return Err(Exception::throw_message(&ctx, &format!("there is no time zone {zone:?}")));
    };
    // Far away from the years that chrono knows, the offset of the edge is as good as any.
    let moment = DateTime::from_timestamp_millis(moment_ms as i64).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc();
    Ok(f64::from(offset) / 60.0)
}

/// Replaces escapes of half surrogate pairs (`\ud800` alone), which are no characters, by that of U+FFFD.
/// JavaScript's `JSON.stringify` writes whole pairs as they are, so each escape in that range is half a pair.
fn replace_lone_surrogates(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        if let Some([b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) = json.get(at..)
            && let Some(digits) = json.get_mut(at + 2..at + 6)
        {
            digits.copy_from_slice(b"fffd");
        }
        at += 2;
    }
}
