using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Doctor;

/// <summary>A volume, or a directory that may become one: its configuration, store, keys and agent, and what it lies on.</summary>
internal static class VolumeChecks
{
    private const UnixFileMode OthersBits = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    internal static void Run(CheckList checks, string root, KeyOptions key, ParseResult parsed)
    {
        checks.Begin($"volume {root}");
        if (!Directory.Exists(root))
        {
            checks.Fail("volume", "it does not exist", "make it with 'overlay-ctl init'");
            return;
        }
        string overlay = Path.Combine(root, VolumePaths.DirectoryName);
        bool isVolume = Directory.Exists(overlay);
        VolumeConfig? config = isVolume ? Load(checks, root) : null;
        if (!isVolume)
            checks.Warn("volume", "a directory, not a volume yet", "make it one with 'overlay-ctl init'");
        FileSystemChecks.Run(checks, isVolume ? overlay : root);
        if (config is null)
            return;
        CheckPermissions(checks, overlay);
        CheckStore(checks, root, config);
        CheckAgent(checks, config);
        if (IsKeyGiven(key, parsed))
            CheckKey(checks, root, key, parsed);
    }

    private static VolumeConfig? Load(CheckList checks, string root)
    {
        try
        {
            VolumeConfig config = VolumeConfig.Load(root);
            checks.Ok("volume", Convert.ToHexStringLower(config.VolumeId));
            return config;
        }
        catch (VolumeException exception)
        {
            checks.Fail("volume", exception.Message, "restore .overlay/config.json from a backup");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ErrnoException)
        {
            checks.Fail("volume", exception.Message, "its owner alone can use it; run this as that user");
        }
        return null;
    }

    private static void CheckPermissions(CheckList checks, string overlay)
    {
        UnixFileMode mode = File.GetUnixFileMode(overlay);
        if ((mode & OthersBits) == 0)
            checks.Ok("permissions", ".overlay is open to its owner alone");
        else
            checks.Warn("permissions", $".overlay has mode {Convert.ToString((int)mode, 8)}", $"chmod 700 {overlay}, unless other users are to share the volume");
    }

    private static void CheckStore(CheckList checks, string root, VolumeConfig config)
    {
        string path = new VolumePaths(root).Store(config);
        try
        {
            using MetadataStore store = MetadataStore.Open(path);
            List<KeySlotRow> slots = store.ReadKeySlots().Where(slot => slot.KeyVersion == store.Volume.KeyVersion).ToList();
            checks.Ok("store", $"{path}, {store.Volume.Suite.Name()}");
            string kinds = string.Join(", ", slots.Select(slot => slot.Kind == SlotKind.KeyFile ? "key file" : "passphrase"));
            if (slots.Count == 0)
                checks.Fail("key-slots", "none: nothing unlocks this volume", "restore the store from a backup");
            else
                checks.Ok("key-slots", kinds);
        }
        catch (Exception exception) when (exception is VolumeException or ErrnoException or IOException or UnauthorizedAccessException)
        {
            checks.Fail("store", exception.Message, "restore the store from a backup; without it the files cannot be read");
        }
    }

    private static void CheckAgent(CheckList checks, VolumeConfig config)
    {
        try
        {
            using AgentClient client = AgentClient.Connect(AgentAddress.ForVolume(config.VolumeId));
            checks.Ok("agent", $"process {client.GetStatus().ProcessId} answers");
        }
        catch (ErrnoException exception) when (exception.Errno is NoEntry or Refused)
        {
            checks.Ok("agent", "none runs; 'overlay-ctl run' brings its own, and a program with OVERLAY_KEY_FILE starts one");
        }
        catch (Exception exception) when (exception is ErrnoException or IOException or UnauthorizedAccessException)
        {
            checks.Warn("agent", exception.Message, "end the agent; the next program starts another one");
        }
    }

    private const int NoEntry = 2, Refused = 111;

    private static bool IsKeyGiven(KeyOptions key, ParseResult parsed) =>
        parsed.GetValue(key.KeyFile) is not null || parsed.GetValue(key.PassphraseFile) is not null || parsed.GetValue(key.PassphraseDescriptor) is not null;

    private static void CheckKey(CheckList checks, string root, KeyOptions key, ParseResult parsed)
    {
        try
        {
            using KeySecret secret = key.Read(parsed);
            VolumeUnlocker.Unlock(root, secret).Dispose();
            checks.Ok("key", "it unlocks the volume");
        }
        catch (Exception exception) when (exception is VolumeException or IOException or UnauthorizedAccessException or ErrnoException)
        {
            checks.Fail("key", exception.Message, "give the right key");
        }
    }
}
