using System;
using System.CommandLine;

namespace Overlay.Ctl.Generated;

/// <summary>overlay-ctl completion: what a shell needs to complete this program's command lines.</summary>
internal static class CompletionCommand
{
    internal static Command Make()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new("completion", "Print the completion of this program for a shell. For this session: 'source <(overlay-ctl completion bash)'; 'make install' installs it for all.") { shell };
        command.SetAction(parsed =>
        {
            Verb root = new(parsed.RootCommandResult.Command, null);
            Console.Out.Write(parsed.GetValue(shell) switch
            {
                "bash" => BashCompletion.Write(root),
                "zsh" => ZshCompletion.Write(root),
                _ => FishCompletion.Write(root),
            });
            return ExitCodes.Ok;
        });
        return command;
    }
}
