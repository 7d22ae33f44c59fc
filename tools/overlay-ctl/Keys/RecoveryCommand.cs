using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl recovery: an identity that exists only as shares, of which some number together unlock the volume.</summary>
internal static class RecoveryCommand
{
    internal static Command Make() => new("recovery", "Give several people shares of a key, some number of which together unlock the volume.")
    {
        MakeSplit(), MakeCombine(),
    };

    private static Command MakeSplit()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Option<int> threshold = new("--threshold") { Description = "How many shares are needed.", HelpName = "N", Required = true };
        Option<int> count = new("--shares") { Description = "How many are made, 255 at most.", HelpName = "M", Required = true };
        Option<string> output = new("--output") { Description = "Directory for the shares, one file each; made if need be. Give them away, and keep none together.", HelpName = "DIR", Required = true };
        KeyOptions key = new();
        Command command = new("split", "Add a key slot for a new identity, and write the identity as shares alone: it is kept nowhere else.") { volume, threshold, count, output };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            (int least, int all) = (parsed.GetValue(threshold), parsed.GetValue(count));
            if (least < 2 || all < least || all > SecretSharing.MostShares)
                throw new ControlException(ExitCodes.Usage, $"--threshold {least} --shares {all}: from 2 to the number of shares, which is 255 at most.");
            using UnlockedVolume unlocked = KeyCommand.Unlock(parsed, volume, key);
            Split(unlocked, least, all, parsed.GetValue(output)!);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Split(UnlockedVolume unlocked, int threshold, int count, string directory)
    {
        byte[] privateKey = GC.AllocateUninitializedArray<byte>(RecipientSeal.KeySize, pinned: true);
        List<RecoveryShare> shares = [];
        List<string> written = [];
        try
        {
            NonceSource.Fill(privateKey);
            shares = RecoveryShare.Split(privateKey, threshold, count);
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (RecoveryShare share in shares)
                written.Add(Write(share, count, directory, unlocked.Root));
            // Last: shares of a slot that does not exist do no harm, a slot whose shares were never written is one that nobody opens.
            KeySlotRow slot = unlocked.AddRecipient(RecipientSeal.PublicKey(privateKey), $"recovery, {threshold} of {count}");
            Console.WriteLine($"Slot {slot.Id} was added: any {threshold} of the {count} shares in {directory} unlock the volume ('recovery combine').");
        }
        catch
        {
            written.ForEach(File.Delete);
            throw;
        }
        finally
        {
            Secret.Wipe(privateKey);
            shares.ForEach(share => share.Dispose());
        }
    }

    private static string Write(RecoveryShare share, int count, string directory, string root)
    {
        string path = Path.Combine(directory, $"share-{share.Number}-of-{count}.txt");
        byte[] text = share.ToText();
        IdentityFile.WriteNew(path,
            $"# Share {share.Number} of {count} of the recovery key of the Overlay volume {root}; {share.Threshold} of them are needed.\n" +
            "# overlay-ctl recovery combine SHARE... --output IDENTITY; overlay-ctl run --identity IDENTITY ...\n", text);
        Secret.Wipe(text);
        return path;
    }

    private static Command MakeCombine()
    {
        Argument<string[]> files = new("SHARE") { Description = "Files with shares, in any order; lines with # are passed over.", Arity = ArgumentArity.OneOrMore };
        Option<string> output = new("--output") { Description = "The identity file to make. Delete it when it has served.", HelpName = "FILE", Required = true };
        Command command = new("combine", "Make the identity again from enough shares.") { files, output };
        command.SetAction(parsed =>
        {
            List<RecoveryShare> shares = parsed.GetValue(files)!.SelectMany(Read).ToList();
            try
            {
                int needed = shares.Count == 0 ? 0 : shares[0].Threshold, given = shares.DistinctBy(share => share.Number).Count();
                if (given < needed || shares.Count == 0)
                    throw new ControlException(ExitCodes.Key, $"{given} different shares were given, {Math.Max(needed, 2)} are needed: ask more of those who have one.");
                byte[] privateKey = RecoveryShare.TryCombine(shares)
                    ?? throw new ControlException(ExitCodes.Key, "these shares do not belong together: give those of one 'recovery split' (each file says of which volume it is).");
                IdentityFile.Write(parsed.GetValue(output)!, privateKey);
                Secret.Wipe(privateKey);
                Console.WriteLine($"The identity was written to {parsed.GetValue(output)}: use it with --identity, and delete it afterwards.");
                return ExitCodes.Ok;
            }
            finally
            {
                shares.ForEach(share => share.Dispose());
            }
        });
        return command;
    }

    private static List<RecoveryShare> Read(string path)
    {
        const int MostText = 1 << 16;
        byte[] text = GC.AllocateUninitializedArray<byte>(MostText, pinned: true);
        List<RecoveryShare> shares = [];
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            ReadOnlySpan<byte> rest = text.AsSpan(0, stream.ReadAtLeast(text, MostText, throwOnEndOfStream: false));
            for (int number = 1; !rest.IsEmpty; number++)
            {
                int end = rest.IndexOf((byte)'\n');
                ReadOnlySpan<byte> line = (end < 0 ? rest : rest[..end]).Trim(" \t\r"u8);
                rest = end < 0 ? [] : rest[(end + 1)..];
                if (line.IsEmpty || line[0] == '#')
                    continue;
                shares.Add(RecoveryShare.TryParse(line)
                    ?? throw new ControlException(ExitCodes.Key, $"{path}, line {number}: this is not a share, or a character of it is wrong."));
            }
            return shares;
        }
        finally
        {
            Secret.Wipe(text);
        }
    }
}
