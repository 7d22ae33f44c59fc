using System;
using System.CommandLine;
using System.IO;
using Overlay.Ctl.Audit;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy set: checks a policy, signs it, and puts it in force.</summary>
internal static class SetCommand
{
    internal static Command Make()
    {
        Argument<string> volume = PolicyCommand.Volume();
        Argument<string> file = new("FILE") { Description = "The policy; - is standard input." };
        Option<bool> dryRun = new("--dry-run") { Description = "Only check it." };
        KeyOptions key = new();
        Command command = new("set", "Put a policy in force, from the next key on that is asked for; what is open goes on. An empty one allows everything.") { volume, file, dryRun };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            PolicyDocument policy = PolicyFile.Read(parsed.GetValue(file)!);
            if (parsed.GetValue(dryRun))
            {
                Console.WriteLine($"{Describe(policy)}; nothing was done.");
                return ExitCodes.Ok;
            }
            using KeySecret secret = key.Read(parsed);
            using RawVolume raw = new(VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret));
            return Set(raw, policy);
        });
        return command;
    }

    private static int Set(RawVolume raw, PolicyDocument policy)
    {
        UnlockedVolume unlocked = raw.Unlocked;
        string mark = CiphertextMark.PathOf(unlocked.Root);
        if (policy.HasCiphertextRules)
            CiphertextMark.Make(mark); // first: a mark too many costs a question, one too few is a program that is refused everything
        StoredPolicy stored = PolicyStore.Set(unlocked, policy.Text, $"uid {AdminTrail.Self.UserId}");
        if (!policy.HasCiphertextRules)
            File.Delete(mark);
        Console.WriteLine($"Version {stored.Version} of the policy of {unlocked.Root} is in force: {Describe(policy)}.");
        if (raw.TryTellShredding(openFilesFail: false, []))
            return ExitCodes.Ok;
        Console.Error.WriteLine("overlay-ctl: the disk is full: running programs could not be told, and may open files once more whose keys they were given lately.");
        return ExitCodes.Unchecked;
    }

    private static string Describe(PolicyDocument policy) =>
        $"{policy.Rules.Count} rules about keys, {policy.Storage.Count} about storage, default {policy.Default.ToString().ToLowerInvariant()}";
}
