//! What is to be played, as the variables SCENARIO and KERNEL say it: names of scenarios, with
//! commas between, or `smoke`, or `matrix`; nothing for all.

use std::env;

use harness::failure::{Failure, Result};

use crate::scenarios::{ALL, SMOKE, SMOKE_KERNEL, STORIES};

/// What is to be played.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Places in `ALL`.
    pub scenarios: Vec<usize>,
    /// Places in `STORIES`.
    pub stories: Vec<usize>,
    /// The one kernel, or all.
    pub kernel: Option<String>,
    /// Whether the results go into the repository.
    pub is_kept: bool,
}

impl Wanted {
    /// As the environment says it.
    pub fn asked() -> Result<Wanted> {
        let asked = |name| env::var(name).unwrap_or_default();
        Wanted::named(&asked("SCENARIO"), &asked("KERNEL"))
    }

    fn named(names: &str, kernel: &str) -> Result<Wanted> {
        let kernel = Some(kernel.to_owned()).filter(|kernel| !kernel.is_empty());
        let scenarios: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        let stories: Vec<&str> = STORIES.iter().map(|story| story.name).collect();
        let wanted = match names {
            "" => [&scenarios[..], &stories].concat(),
            "smoke" => SMOKE.to_vec(),
            "matrix" => scenarios.clone(),
            names => names.split(',').collect(),
        };
        let known = [&scenarios[..], &stories].concat();
        if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
            let known = known.join(", ");
            let said = format!("no scenario {unknown}. There are: smoke, matrix, {known}");
            return Err(Failure::new(said));
        }
        let places = |of: &[&str]| -> Vec<usize> {
            (0..of.len()).filter(|place| wanted.contains(&of[*place])).collect()
        };
        let is_smoke = names == "smoke";
        Ok(Wanted {
            scenarios: places(&scenarios),
            stories: places(&stories),
            kernel: kernel.or_else(|| is_smoke.then(|| SMOKE_KERNEL.to_owned())),
            is_kept: !is_smoke,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_and_stories_are_found_by_their_names() {
        let wanted = Wanted::named("stall,healthy", "6.1").unwrap();
        assert_eq!(wanted.scenarios.len() + wanted.stories.len(), 2);
        assert_eq!((ALL[wanted.scenarios[0]].name, wanted.is_kept), ("healthy", true));
        let all = Wanted::named("", "").unwrap();
        assert_eq!((all.scenarios.len(), all.stories.len()), (ALL.len(), STORIES.len()));
        assert_eq!(all.kernel, None);
    }

    #[test]
    fn smoke_has_a_kernel_and_keeps_no_results() {
        let smoke = Wanted::named("smoke", "").unwrap();
        assert_eq!((smoke.scenarios.len(), smoke.is_kept), (SMOKE.len(), false));
        assert_eq!(smoke.kernel.as_deref(), Some(SMOKE_KERNEL));
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_those_that_are() {
        let said = Wanted::named("healthy,stal", "").unwrap_err().to_string();
        assert!(said.contains("no scenario stal. There are: smoke, matrix, healthy"), "{said}");
    }
}
