using System.CommandLine;

namespace Overlay.Ctl.Doctor;

/// <summary>overlay-ctl doctor: are system, libc, program and volume fit?</summary>
internal static class DoctorCommand
{
    internal static Command Make()
    {
        Option<string[]> volumes = new("--volume") { Description = "A volume, or a directory that may become one; may be given several times.", HelpName = "VOLUME", Arity = ArgumentArity.ZeroOrMore };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        KeyOptions key = new();
        Argument<string[]> program = new("COMMAND") { Description = "A program to look at, behind '--'. It is not run.", Arity = ArgumentArity.ZeroOrMore };
        Command command = new("doctor", "Look whether this system, a program and a volume are fit, and what to do where they are not.") { volumes, json };
        key.AddTo(command);
        command.Add(program);
        command.SetAction(parsed =>
        {
            CheckList checks = new();
            string[] roots = parsed.GetValue(volumes) ?? [], words = parsed.GetValue(program) ?? [];
            if (words.Length > 0 && words[0].StartsWith('-'))
                throw new ControlException(ExitCodes.Usage, $"Unrecognized option '{words[0]}'.");
            SystemChecks.Run(checks);
            LibcChecks.Run(checks);
            if (words.Length > 0)
                ProgramChecks.Run(checks, words[0], roots.Length > 0 ? Posix.RealPath(roots[0]) : null);
            foreach (string root in roots)
                VolumeChecks.Run(checks, root, key, parsed);
            if (parsed.GetValue(json))
                DoctorReport.PrintJson(checks);
            else
                DoctorReport.Print(checks);
            return DoctorReport.ExitCode(checks);
        });
        return command;
    }
}
