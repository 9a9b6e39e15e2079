from django.db import migrations, models

# Empty and with no checkpoint the projection starts at the beginning of the log, so its new columns are exact from the
# next catch-up on.
START_ANEW = "DELETE FROM projections_accountsummary; DELETE FROM projections_checkpoint WHERE name = 'accounts'"


class Migration(migrations.Migration):
    dependencies = [("projections", "0001_initial")]

    operations = [
        migrations.RunSQL(START_ANEW, START_ANEW),
        migrations.AddField(
            model_name="accountsummary",
            name="wrong_pins",
            field=models.BigIntegerField(default=0, help_text="Wrong PINs in a row, up to now"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="accountsummary",
            name="pin_locked",
            field=models.BooleanField(default=False, help_text="Withdrawals are refused without a look at the PIN"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="statementline",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Account opened"),
                    ("deposit", "Deposit"),
                    ("withdrawal", "Withdrawal"),
                    ("locked", "Withdrawals locked"),
                    ("unlocked", "Withdrawals unlocked"),
                    ("new_pin", "New PIN"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="refusedwithdrawal",
            name="reason",
            field=models.CharField(
                choices=[
                    ("invalid_pin", "Wrong PIN"),
                    ("account_overdrawn", "Not enough money"),
                    ("withdrawal_blocked", "Withdrawals are locked"),
                ],
                max_length=20,
            ),
        ),
    ]
