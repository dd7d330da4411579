//! What is to be played, as the variables SCENARIO and KERNEL say it: names of scenarios, with
//! commas between, or `smoke`, `matrix`, `recovery` or `package`; nothing for all but the last two,
//! which have tables of their own.

use std::env;

use harness::failure::{Failure, Result};

use crate::build::debian::Kind;
use crate::scenarios::{self, ALL, RECOVERIES, RECOVERIES_ELSEWHERE, SMOKE, SMOKE_KERNEL, STORIES};
use crate::story::Story;

/// What is to be played.
#[derive(Debug)]
pub struct Wanted {
    /// Places in `ALL`.
    pub scenarios: Vec<usize>,
    /// In the order of the report.
    pub stories: Vec<&'static Story>,
    /// The one kernel, or all.
    pub kernel: Option<String>,
    /// Where in the repository the results go.
    pub table: Option<Table>,
}

/// A file of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// What early boot does.
    Early,
    /// What the daemon does.
    Recovery,
    /// What the package does.
    Package,
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
        let of = |stories: &[Story]| stories.iter().map(|story| story.name).collect::<Vec<_>>();
        let name = |(_, story): &(Kind, Story)| story.name;
        let elsewhere = RECOVERIES_ELSEWHERE.iter().map(name).collect();
        let (stories, recoveries) = (of(&STORIES), [of(&RECOVERIES), elsewhere].concat());
        let packages: Vec<&str> = scenarios::packages().map(name).collect();
        let wanted = match names {
            "" => [&scenarios[..], &stories].concat(),
            "smoke" => SMOKE.to_vec(),
            "matrix" => scenarios.clone(),
            "recovery" => recoveries.clone(),
            "package" => packages.clone(),
            names => names.split(',').collect(),
        };
        let known = [&scenarios[..], &stories, &recoveries, &packages].concat();
        if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
            let known = known.join(", ");
            let said = format!(
                "no scenario {unknown}. There are: smoke, matrix, recovery, package, {known}"
            );
            return Err(Failure::new(said));
        }
        let table_of = |name: &&str| match name {
            name if recoveries.contains(name) => Table::Recovery,
            name if packages.contains(name) => Table::Package,
            _ => Table::Early,
        };
        let table = wanted.first().map(table_of).filter(|_| names != "smoke");
        if table.is_some() && wanted.iter().any(|name| Some(table_of(name)) != table) {
            let said = "these have tables of their own: ask for each in a run of its own";
            return Err(Failure::new(said));
        }
        let is_wanted = |story: &&Story| wanted.contains(&story.name);
        Ok(Wanted {
            scenarios: (0..ALL.len()).filter(|place| wanted.contains(&ALL[*place].name)).collect(),
            stories: STORIES
                .iter()
                .chain(&RECOVERIES)
                .chain(
                    RECOVERIES_ELSEWHERE
                        .iter()
                        .chain(scenarios::packages())
                        .map(|(_, story)| story),
                )
                .filter(is_wanted)
                .collect(),
            kernel: kernel.or_else(|| table.is_none().then(|| SMOKE_KERNEL.to_owned())),
            table,
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
        assert_eq!(ALL[wanted.scenarios[0]].name, "healthy");
        assert_eq!(wanted.table, Some(Table::Early));
        let all = Wanted::named("", "").unwrap();
        assert_eq!((all.scenarios.len(), all.stories.len()), (ALL.len(), STORIES.len()));
        assert_eq!(all.kernel, None);
    }

    #[test]
    fn smoke_has_a_kernel_and_keeps_no_results() {
        let smoke = Wanted::named("smoke", "").unwrap();
        assert_eq!(smoke.scenarios.len() + smoke.stories.len(), SMOKE.len());
        assert_eq!(smoke.table, None);
        assert_eq!(smoke.kernel.as_deref(), Some(SMOKE_KERNEL));
    }

    #[test]
    fn what_recovers_has_a_table_of_its_own() {
        let recovery = Wanted::named("recovery", "").unwrap();
        assert_eq!(recovery.stories.len(), RECOVERIES.len() + RECOVERIES_ELSEWHERE.len());
        assert_eq!(recovery.table, Some(Table::Recovery));
        let both = format!("stall,{}", RECOVERIES[0].name);
        assert!(Wanted::named(&both, "").unwrap_err().to_string().contains("a run of its own"));
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_those_that_are() {
        let said = Wanted::named("healthy,stal", "").unwrap_err().to_string();
        assert!(
            said.contains("no scenario stal. There are: smoke, matrix, recovery, package, healthy"),
            "{said}"
        );
    }
}
