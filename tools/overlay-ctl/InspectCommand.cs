using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Text.Json;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Volumes;
using static Overlay.Format.FormatConstants;

namespace Overlay.Ctl;

/// <summary>overlay-ctl inspect: a stored file, field by field; with the key, every block is opened.</summary>
internal static class InspectCommand
{
    internal static Command Make()
    {
        Argument<string> file = new("FILE") { Description = "A file of a volume, as it lies on disk." };
        Option<string?> volume = new("--volume") { Description = "Its volume; with a key, every block is verified.", HelpName = "VOLUME" };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        KeyOptions key = new();
        Command command = new("inspect", "Explain a stored file; verify it if a volume and its key are given.") { file, volume, json };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using RawFile stored = new(parsed.GetValue(file)!);
            Inspection inspection = Inspection.Of(stored);
            if (parsed.GetValue(volume) is string root)
            {
                using KeySecret secret = key.Read(parsed);
                using RawVolume unlocked = new(VolumeUnlocker.Unlock(root, secret));
                inspection.Verify(stored, unlocked);
            }
            if (parsed.GetValue(json))
                inspection.PrintJson();
            else
                inspection.Print();
            return inspection.ExitCode;
        });
        return command;
    }
}

/// <summary>What was found about one stored file.</summary>
internal sealed class Inspection
{
    private readonly List<(string Name, object Value, string Unit)> _fields = [];
    private readonly List<(long Block, string Cause)> _damage = [];
    private readonly List<string> _entries = [];

    internal int ExitCode { get; private set; }

    internal static Inspection Of(RawFile stored)
    {
        Inspection inspection = new();
        byte[] page = new byte[PageSize];
        int count = stored.Read(0, page);
        inspection.Add("file", stored.FilePath);
        inspection.Add("stored size (st_size)", stored.Length, "bytes");
        if (count == 0)
        {
            inspection.Add("state", "newborn: empty, without a header yet");
            return inspection;
        }
        HeaderFault fault = FileHeader.Parse(page.AsSpan(0, count), out FileHeader header);
        inspection.Add("header", fault == HeaderFault.Ok ? "well-formed (not authenticated)" : fault == HeaderFault.NotSealed ? "none: not a sealed file" : fault.ToString());
        if (fault != HeaderFault.Ok)
        {
            inspection.ExitCode = ExitCodes.Damaged;
            return inspection;
        }
        inspection.AddHeader(page, header, stored.Length);
        inspection.AddEntries(page, header);
        return inspection;
    }

    internal void Verify(RawFile stored, RawVolume volume)
    {
        using BlockCache cache = new(1 << 16);
        OpenResult result = volume.TryOpen(stored, cache, out SealedFile? file);
        if (file is null)
        {
            Add("verification", $"failed: {result.Reason}");
            ExitCode = result.Status is OpenStatus.WrongKey or OpenStatus.NoKey ? ExitCodes.Key : ExitCodes.Damaged;
            return;
        }
        using SealedFile opened = file;
        FileSurvey survey = opened.Survey(damage => _damage.Add((damage.Block, damage.Cause)));
        Add("verification", survey.DamagedBlocks == 0 ? "every block is authentic" : "damage was found");
        Add("blocks", survey.Blocks);
        Add("compressed blocks", survey.CompressedBlocks);
        Add("holes", survey.Holes);
        Add("damaged blocks", survey.DamagedBlocks);
        Add("plain bytes", survey.PlainBytes, "bytes");
        Add("stored bytes", survey.StoredBytes, "bytes");
        if (survey.DamagedBlocks > 0)
            ExitCode = ExitCodes.Damaged;
    }

    internal void Print()
    {
        foreach ((string name, object value, string unit) in _fields)
            Console.WriteLine($"{name,-24}{value} {unit}".TrimEnd());
        if (_entries.Count > 0)
            Console.WriteLine($"{"entries of group 0",-24}{string.Join($"\n{"",-24}", _entries)}");
        foreach ((long block, string cause) in _damage)
            Console.WriteLine($"{"damage",-24}{(block < 0 ? "" : $"block {block}: ")}{cause}");
    }

    internal void PrintJson() => Json.Print(writer =>
    {
        foreach ((string name, object value, string _) in _fields)
        {
            string key = JsonNamingPolicy.CamelCase.ConvertName(System.Globalization.CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name.Replace("(st_size)", "", StringComparison.Ordinal)).Replace(" ", "", StringComparison.Ordinal));
            if (value is long number)
                writer.WriteNumber(key, number);
            else
                writer.WriteString(key, value.ToString());
        }
        writer.WriteStartArray("damage");
        foreach ((long block, string cause) in _damage)
        {
            writer.WriteStartObject();
            writer.WriteNumber("block", block);
            writer.WriteString("cause", cause);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    private void AddHeader(byte[] page, in FileHeader header, long storedLength)
    {
        Geometry geometry = new(header.BlockSizeLog2);
        long settled = SettledSize.Decode(geometry, storedLength);
        Add("format version", 1L);
        Add("cipher", header.Suite.Name());
        Add("compression", header.Compresses ? "lz4" : "none");
        Add("block size", (long)geometry.BlockSize, "bytes");
        Add("layout", header.IsIndexed ? "indexed" : "one block, inline where it fits");
        Add("file id", Convert.ToHexStringLower(FileHeader.FileIdOf(page)));
        Add("volume id", Convert.ToHexStringLower(FileHeader.VolumeIdOf(page)));
        Add("size", header.Size, "bytes");
        Add("size by st_size", settled < 0 ? "unsettled: the header says it" : (object)settled, settled < 0 ? "" : "bytes");
        Add("sync interval", (long)header.SyncInterval);
        Add("durable interval", (long)header.DurableInterval);
        Add("header sequence", (long)header.Sequence);
        if (header.KeyEpoch != 0 || header.HasTwoKeys)
            Add("key", $"number {header.KeyEpoch} (modulo {KeyEpochs}){(header.HasTwoKeys ? $"; number {header.OtherKeyEpoch} is needed, too: it is being rekeyed" : "")}");
        if (header.TruncatedFrom != 0)
            Add("truncation under way", header.TruncatedFrom, "bytes before");
    }

    private void AddEntries(byte[] page, in FileHeader header)
    {
        Geometry geometry = new(header.BlockSizeLog2);
        uint present = new GroupRecord(page).Present;
        for (int slot = 0; slot < (header.IsIndexed ? GroupBlocks : 1); slot++)
        {
            if ((present >> slot & 1) == 0)
                continue;
            BlockVersion version = BlockVersion.Current(page, slot);
            string where = version.IsInUnits ? $"table {version.Place} at {geometry.TablesOffset(0) + Geometry.TableIn(slot, version.Place)}"
                : $"{(version.Place == InlinePlace ? "inline" : $"place {version.Place}")} at {geometry.PlaceOffset(0, slot, version.Place)}";
            _entries.Add($"block {slot}: {version.Kind.ToString().ToLowerInvariant()}, {version.StoredLength} bytes, {where}, interval {version.Interval}{(version.IsOdd ? ", odd key" : "")}");
        }
    }

    private void Add(string name, object value, string unit = "") => _fields.Add((name, value, unit));
}
