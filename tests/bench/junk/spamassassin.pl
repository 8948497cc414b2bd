# SpamAssassin's Bayes, trained with the messages of one list and asked about those of another.
# perl spamassassin.pl FOLDER TRAIN JUDGE: lists have "ham PATH" or "spam PATH" on each line.
use strict;
use warnings;
use Mail::SpamAssassin;
use Mail::SpamAssassin::PerMsgStatus;

my ($dir, $train, $judge) = @ARGV;
my $sa = Mail::SpamAssassin->new({
  dont_copy_prefs => 1,
  local_tests_only => 1,
  userstate_dir => $dir,
  rules_filename => "$dir/none",
  site_rules_filename => "$dir/none",
  config_text => join("\n",
    "loadplugin Mail::SpamAssassin::Plugin::Bayes", "use_bayes 1", "bayes_path $dir/bayes",
    "bayes_min_ham_num 1", "bayes_min_spam_num 1", "bayes_auto_learn 0", "bayes_auto_expire 0", ""),
});
$sa->init(1);
$sa->init_learner({ wait_for_lock => 1, caller_will_untie => 1 });
my ($bayes) = grep { ref($_) =~ /::Bayes$/ } @{ $sa->{plugins}->{plugins} };

sub each_message {
  my ($list, $do) = @_;
  open my $lines, '<', $list or die "$list: $!";
  while (<$lines>) {
    chomp;
    my ($kind, $path) = split / /, $_, 2;
    open my $file, '<:raw', $path or die "$path: $!";
    my $text = do { local $/; <$file> };
    my $message = $sa->parse($text, 1);
    $do->($kind, $message);
    $message->finish;
  }
}

each_message($train, sub { $sa->learn($_[1], undef, $_[0] eq 'spam', 0) });
each_message($judge, sub {
  my $status = Mail::SpamAssassin::PerMsgStatus->new($sa, $_[1]);
  $status->extract_message_metadata();
  my $score = $bayes->scan($status, $_[1]);
  print "$_[0] ", (defined $score ? $score : 0.5), "\n";
  $status->finish;
});
$sa->finish_learner();
