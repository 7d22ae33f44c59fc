using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Metadata.Policy;

namespace Overlay.Ctl.Policies;

/// <summary>A policy in a file that somebody has written.</summary>
internal static class PolicyFile
{
    private const long MostBytes = 1 << 20;

    /// <summary>Every error is printed with its line before this throws.</summary>
    internal static PolicyDocument Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > MostBytes })
            throw new ControlException(ExitCodes.Usage, $"{path} is far too long for a policy.");
        string text = path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
        if (PolicyParser.TryParse(text, SystemAccounts.Instance, out IReadOnlyList<PolicyError> errors) is PolicyDocument policy)
            return policy;
        foreach (PolicyError error in errors)
            Console.Error.WriteLine($"{path}:{error.Line}: {error.Message}");
        throw new ControlException(ExitCodes.Usage, $"{path} is no policy; nothing was done.");
    }
}
