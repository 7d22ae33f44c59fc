using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Ctl.Audit;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy learn: a policy that allows what the audit log has seen, to be read before it is set.</summary>
internal static class LearnCommand
{
    internal static Command Make()
    {
        Argument<string> volume = PolicyCommand.Volume();
        Option<string?> since = new("--since") { Description = "Records that are not older: a time or an age (12h, 7d).", HelpName = "TIME" };
        Option<bool> hashes = new("--sha256") { Description = "Name programs by their hashes, too, as they are now." };
        Command command = new("learn", "Propose a policy from the audit log: what was given is allowed, the rest denied. Nothing is set; no key is needed.") { volume, since, hashes };
        command.SetAction(parsed =>
        {
            using MetadataStore store = VolumeUnlocker.OpenStore(parsed.GetValue(volume)!);
            string? from = parsed.GetValue(since) is string text ? AuditFilter.Time(text) : null;
            LearntPolicy learnt = new();
            foreach (AuditRecord record in AuditReader.ReadAll(store.Path).Where(record => from is null || string.CompareOrdinal(record.Time, from) >= 0))
                learnt.Take(record);
            if (learnt.IsEmpty)
                throw new ControlException(ExitCodes.Failed, $"the audit log has no grants to learn from; 'overlay-ctl audit enable {parsed.GetValue(volume)}', and let the programs run that shall be allowed.");
            Console.Write(learnt.Write(parsed.GetValue(hashes)));
            return ExitCodes.Ok;
        });
        return command;
    }
}
