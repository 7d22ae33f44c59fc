using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Audit;

[Collection("audit")]
public sealed class AuditLogTests : IDisposable
{
    private static readonly AuditSubject s_who = new(1000, 1000, 4711, "/usr/bin/cat");
    private readonly TestVolume _volume = new();
    private readonly UnlockedVolume _unlocked;

    public AuditLogTests()
    {
        _unlocked = _volume.Unlock();
        AuditSwitch.Enable(_unlocked, s_who, acceptsLoss: false);
    }

    private string FirstFile => AuditFiles.PathOf(AuditFiles.DirectoryOf(_volume.StorePath), 1);

    public void Dispose()
    {
        AuditLog.SegmentSize = 64 << 20;
        _unlocked.Dispose();
        _volume.Dispose();
    }

    [Fact]
    public void Records_come_back_as_they_were_in_their_order()
    {
        Write("a", "b\n\"c\" ü");
        var records = AuditReader.ReadAll(_volume.StorePath).ToList();
        Assert.Equal([1, 2, 3], records.Select(record => record.Sequence));
        Assert.Equal(["on", null, null], records.Select(record => record.Detail));
        Assert.Equal("b\n\"c\" ü", records[2].Path);
        Assert.Equal((1000, 1000, 4711, "/usr/bin/cat", "grant", "ok"), (records[2].UserId, records[2].GroupId, records[2].ProcessId, records[2].Executable, records[2].Event, records[2].Result));
        Assert.Empty(Verify());
        Assert.Equal(0x180, (int)File.GetUnixFileMode(FirstFile));
        Assert.Equal(0x1C0, (int)File.GetUnixFileMode(Path.GetDirectoryName(FirstFile)!));
    }

    [Theory]
    [InlineData("edit", "record 3 was changed")]
    [InlineData("remove", "record 3 is missing")]
    [InlineData("swap", "missing")]
    [InlineData("cut", "the end is missing: the last record is 4, and 5 were written")]
    [InlineData("cut into", "changed")]
    [InlineData("repeat", "changed, put here or moved")]
    [InlineData("empty", "the end is missing")]
    [InlineData("delete", "is missing")]
    public void Any_change_is_found_and_stops_writing_where_it_is_at_the_end(string change, string finding)
    {
        Write("a", "b", "c", "d");
        var lines = File.ReadAllLines(FirstFile).ToList();
        switch (change)
        {
            case "edit": lines[2] = lines[2].Replace("\"uid\":1000", "\"uid\":1001", StringComparison.Ordinal); break;
            case "remove": lines.RemoveAt(2); break;
            case "swap": (lines[2], lines[3]) = (lines[3], lines[2]); break;
            case "cut": lines.RemoveAt(4); break;
            case "cut into": lines[4] = lines[4][..^10]; break;
            case "repeat": lines.Insert(3, lines[2]); break;
            case "empty": lines.Clear(); break;
        }
        if (change == "delete")
            File.Delete(FirstFile);
        else
            File.WriteAllLines(FirstFile, lines);
        Assert.Contains(Verify(), found => found.Contains(finding, StringComparison.Ordinal));
        if (change is "cut" or "cut into" or "empty" or "delete" or "remove")
            Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => Write("more")).Error);
    }

    [Fact]
    public void Change_of_one_record_is_one_finding()
    {
        Write("a", "b", "c", "d");
        File.WriteAllText(FirstFile, File.ReadAllText(FirstFile).Replace("\"path\":\"b\"", "\"path\":\"B\"", StringComparison.Ordinal));
        Assert.Equal(["file 1, line 3: record 3 was changed, or one before it"], Verify());
    }

    [Fact]
    public void Cut_log_goes_on_behind_an_accepted_loss_which_stays_to_be_seen()
    {
        Write("a", "b", "c");
        File.WriteAllLines(FirstFile, File.ReadAllLines(FirstFile)[..2]);
        AuditSwitch.Enable(_unlocked, s_who, acceptsLoss: true);
        Write("d");
        Assert.Equal(["file 2, line 1: records 3 to 4 are missing"], Verify());
    }

    [Fact]
    public void Head_that_was_changed_is_refused()
    {
        Write("a", "b");
        _volume.Sql("UPDATE audit_head SET sequence = 1; SELECT 1");
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => Verify()).Error);
        _volume.Sql("UPDATE audit_head SET sequence = 3, is_on = 0; SELECT 1");
        Assert.Throws<VolumeException>(() => Write("c"));
    }

    [Fact]
    public void Records_of_a_writer_that_was_killed_before_the_head_followed_count_and_half_a_line_does_not()
    {
        Write("a");
        using (var keeper = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={_volume.StorePath};Pooling=False"))
        {
            keeper.Open();
            Run(keeper, "CREATE TEMP TABLE kept AS SELECT * FROM audit_head");
            Write("b", "c");
            Run(keeper, "DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept");
        }
        File.AppendAllText(FirstFile, "{\"sequence\":5,\"half a li");
        Assert.Empty(Verify());
        Write("d");
        Assert.Equal([1, 2, 3, 4, 5], AuditReader.ReadAll(_volume.StorePath).Select(record => record.Sequence));
        Assert.Empty(Verify());
    }

    [Fact]
    public void Writers_at_the_same_time_make_one_chain()
    {
        const int Writers = 4, Each = 25;
        Parallel.For(0, Writers, writer =>
        {
            using var volume = _volume.Unlock();
            using var log = AuditLog.TryOpen(volume)!;
            for (var i = 0; i < Each; i++)
            {
                log.Add(Grant($"{writer} {i}"));
                log.Flush();
            }
        });
        Assert.Empty(Verify());
        Assert.Equal(Writers * Each + 1, AuditReader.ReadAll(_volume.StorePath).Count());
    }

    [Fact]
    public void Log_goes_on_in_new_files_and_the_older_can_be_archived()
    {
        AuditLog.SegmentSize = 1000;
        for (var i = 0; i < 20; i++)
            Write($"file {i}");
        Assert.InRange(AuditFiles.List(AuditFiles.DirectoryOf(_volume.StorePath)).Count, 5, 20);
        Assert.Empty(Verify());

        var archive = Directory.CreateDirectory(_volume.At("archive")).FullName;
        Assert.InRange(AuditSwitch.Archive(_unlocked, s_who, archive), 4, 20);
        Write("after");
        Assert.Single(AuditFiles.List(AuditFiles.DirectoryOf(_volume.StorePath)), number => number == AuditFiles.List(archive).Max() + 1);
        Assert.Empty(Verify());
        Assert.Empty(Verify(archive));
        File.Delete(AuditFiles.PathOf(archive, 2));
        Assert.Contains("file 2 is missing", Verify(archive));
        File.Delete(AuditFiles.PathOf(AuditFiles.DirectoryOf(_volume.StorePath), AuditFiles.List(archive).Max() + 1));
        Assert.NotEmpty(Verify());
    }

    [Fact]
    public void Switching_off_is_recorded_and_on_again_goes_on_with_the_chain()
    {
        Write("a");
        AuditSwitch.Disable(_unlocked, s_who);
        using (var log = AuditLog.TryOpen(_unlocked)!)
            Assert.False(log.IsOn);
        AuditSwitch.Enable(_unlocked, s_who, acceptsLoss: false);
        Assert.Equal(["on", null, "off", "on"], AuditReader.ReadAll(_volume.StorePath).Select(record => record.Detail));
        Assert.Empty(Verify());
    }

    private static AuditEvent Grant(string path) => new(AuditKinds.Grant, s_who, "ok") { FileIds = [new byte[16]], Path = path };

    private void Write(params string[] paths)
    {
        using var log = AuditLog.TryOpen(_unlocked)!;
        foreach (var path in paths)
            log.Add(Grant(path));
        log.Flush();
    }

    private List<string> Verify(params string[] archives)
    {
        using var log = AuditLog.TryOpen(_unlocked)!;
        var verifier = new AuditVerifier(log, archives);
        verifier.Run();
        return [.. verifier.Findings];
    }

    private static void Run(Microsoft.Data.Sqlite.SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
