using System.CommandLine;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy: which programs may have which files, and how new files are stored.</summary>
internal static class PolicyCommand
{
    internal static Command Make() => new("policy", "Say which programs may have which files, and how new files are stored. The language: docs/policy.md.")
    {
        ShowCommand.Make(), SetCommand.Make(), TestCommand.Make(), LearnCommand.Make(), RepathCommand.Make(),
    };

    internal static Argument<string> Volume() => new("VOLUME") { Description = "The volume; programs may go on using it." };
}
