//! What Fargate offers: memory by CPU.

/// CPU units, the least and the most memory in MiB, and the step between:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>.
const SIZES: [(i32, i32, i32, i32); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// What is wrong with a size, and in which field.
pub(super) fn misfit(cpu: i32, memory_mib: i32) -> Option<(&'static str, String)> {
    let Some((_, least, most, step)) = SIZES.iter().find(|size| size.0 == cpu) else {
        let sizes: Vec<_> = SIZES.iter().map(|size| size.0.to_string()).collect();
        let text = format!("Fargate takes a `cpu` of {}", sizes.join(", "));
        return Some(("cpu", text));
    };
    let fits = match (cpu, memory_mib) {
        (256, memory) => [512, 1024, 2048].contains(&memory),
        (_, memory) => (*least..=*most).contains(&memory) && (memory - least) % step == 0,
    };
    let text = match cpu {
        256 => "with a `cpu` of 256, Fargate takes 512, 1024 or 2048 MiB".to_owned(),
        _ => {
            format!("with a `cpu` of {cpu}, Fargate takes {least} to {most} MiB in steps of {step}")
        }
    };
    (!fits).then_some(("memory_mib", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_table() {
        for (cpu, memory) in [
            (256, 512),
            (256, 2048),
            (512, 3072),
            (4096, 30720),
            (8192, 20480),
        ] {
            assert_eq!(misfit(cpu, memory), None, "{cpu} {memory}");
        }
        for (cpu, memory) in [
            (256, 1536),
            (512, 512),
            (1024, 2500),
            (8192, 17408),
            (300, 512),
        ] {
            assert!(misfit(cpu, memory).is_some(), "{cpu} {memory}");
        }
    }
}
